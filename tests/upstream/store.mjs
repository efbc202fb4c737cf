// What the provider keeps, in memory, for as long as the process lives. Apart from the library, so that a provider with other
// keys can go on with the same sessions, and clients can come and go.

const rows = new Map();
export const clients = new Map();

export class Store {
  constructor(model) {
    this.model = model;
  }

  #key(id) {
    return `${this.model}:${id}`;
  }

  async upsert(id, payload) {
    rows.set(this.#key(id), payload);
  }

  async find(id) {
    return this.model === 'Client' ? clients.get(id) : rows.get(this.#key(id));
  }

  async findByUid(uid) {
    return this.#first((row) => row.uid === uid);
  }

  async findByUserCode(code) {
    return this.#first((row) => row.userCode === code);
  }

  async consume(id) {
    rows.get(this.#key(id)).consumed = Math.floor(Date.now() / 1000);
  }

  async destroy(id) {
    rows.delete(this.#key(id));
  }

  async revokeByGrantId(grant) {
    for (const [key, row] of rows) {
      if (row.grantId === grant && !key.startsWith('Session:')) rows.delete(key);
    }
  }

  #first(wanted) {
    for (const [key, row] of rows) {
      if (key.startsWith(`${this.model}:`) && wanted(row)) return row;
    }
    return undefined;
  }
}
