import axios from "axios";
import type { Adapter, AdapterAccount, AdapterSession, AdapterUser, VerificationToken } from "next-auth/adapters";
import { adapterSecret, bonafideUrl, visitor } from "@/lib/bonafide";

/** The members that are instants. A name like "May 1" is none, whatever `Date` can make of it. */
const dates = ["emailVerified", "expires"];

function format<T>(obj: Record<string, unknown>): T {
  const entries = Object.entries(obj).filter(([, value]) => value !== null);
  return Object.fromEntries(
    entries.map(([key, value]) => [key, dates.includes(key) ? new Date(value as string) : value]),
  ) as T;
}

/** What was not found is `null`. */
function formatFound<T>(data: Record<string, unknown> | null | undefined): T | null {
  return data ? format<T>(data) : null;
}

/** Parts of a path are data: nothing in them may lead to another path. */
const part = encodeURIComponent;

function AuthRestAdapter(): Adapter {
  const client = axios.create({ timeout: 10_000, maxRedirects: 0 });
  // At the first call, so that the application can be built without its secrets.
  client.interceptors.request.use(async (request) => {
    request.baseURL = `${bonafideUrl()}/adapter`;
    request.headers.set({ ...(await visitor()), "Content-Type": "application/json", "x-auth-secret": adapterSecret() });
    return request;
  });

  return {
    createUser: async (user: Omit<AdapterUser, "id">) => {
      const response = await client.post("/signup", user);
      return format<AdapterUser>(response.data);
    },
    getUserByEmail: async (email: string) => {
      const response = await client.get("/get-user-by-email", { params: { email } });
      return formatFound<AdapterUser>(response.data);
    },
    getUserByAccount: async ({ providerAccountId, provider }: Pick<AdapterAccount, "provider" | "providerAccountId">) => {
      const response = await client.get(`/get-user-by-account/${part(provider)}/${part(providerAccountId)}`);
      return formatFound<AdapterUser>(response.data);
    },
    getUser: async (id: string) => {
      const response = await client.get(`/${part(id)}`);
      return formatFound<AdapterUser>(response.data);
    },
    updateUser: async (user: Partial<AdapterUser> & Pick<AdapterUser, "id">) => {
      const response = await client.patch("/", user);
      return format<AdapterUser>(response.data);
    },
    deleteUser: async (userId: string) => {
      const response = await client.delete(`/${part(userId)}`);
      return formatFound<AdapterUser>(response.data);
    },
    // What the provider gave is not ours to keep: Bonafide would drop the tokens anyway.
    linkAccount: async ({ userId, type, provider, providerAccountId }: AdapterAccount) => {
      const response = await client.post("/link-account", { userId, type, provider, providerAccountId });
      return formatFound<AdapterAccount>(response.data);
    },
    unlinkAccount: async ({ providerAccountId, provider }: Pick<AdapterAccount, "provider" | "providerAccountId">) => {
      const response = await client.delete(`/unlink-account/${part(provider)}/${part(providerAccountId)}`);
      return formatFound<AdapterAccount>(response.data) ?? undefined;
    },
    createSession: async (session: { sessionToken: string; userId: string; expires: Date }) => {
      const response = await client.post("/create-session", session);
      return format<AdapterSession>(response.data);
    },
    getSessionAndUser: async (sessionToken: string) => {
      const response = await client.get(`/get-session/${part(sessionToken)}`);
      if (!response.data) {
        return null;
      }
      const session = format<AdapterSession>(response.data.session);
      const user = format<AdapterUser>(response.data.user);
      return { session, user };
    },
    updateSession: async (session: Partial<AdapterSession> & Pick<AdapterSession, "sessionToken">) => {
      const response = await client.patch("/update-session", session);
      return formatFound<AdapterSession>(response.data);
    },
    deleteSession: async (sessionToken: string) => {
      const response = await client.delete(`/delete-session/${part(sessionToken)}`);
      return formatFound<AdapterSession>(response.data);
    },
    createVerificationToken: async (verificationToken: VerificationToken) => {
      const response = await client.post("/create-verification-token", verificationToken);
      return formatFound<VerificationToken>(response.data);
    },
    useVerificationToken: async (params: { identifier: string; token: string }) => {
      const response = await client.patch("/use-verification-token", params);
      return formatFound<VerificationToken>(response.data);
    },
  };
}

export default AuthRestAdapter;
