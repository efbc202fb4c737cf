// The certified provider `oidc-provider` on loopback, in the place of Google. UPSTREAM in the environment is a JSON document:
//
//   port      where to listen; without it, where there is room
//   password  everybody's
//   clients   registrations (RFC 7591), with client_id
//   people    login → claims; also acr and amr, which are what a sign-in of theirs proves
//
// It prints `issuer URL` when it listens, and ends when its input does. What tests ask and change is under /control.

import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { createServer } from 'node:http';

import { page, signIn, signOut } from './pages.mjs';
import { clients, Store } from './store.mjs';

// The library is for Node.js 22, and this is all that it misses in 20.
URL.parse ??= (url, base) => (URL.canParse(url, base) ? new URL(url, base) : null);
const { default: Provider } = await import('oidc-provider');

const settings = { port: 0, password: 'upstream', clients: [], people: {}, ...JSON.parse(process.env.UPSTREAM ?? '{}') };
const cookieKeys = [randomBytes(32).toString('hex')];
const seen = { requests: {}, authorization: null, logouts: [] };
let people = settings.people;
let provider;

process.stdin.on('close', () => process.exit()).resume();

function register(registrations) {
  clients.clear();
  for (const client of registrations) clients.set(client.client_id, client);
}

function keys() {
  const made = [generateKeyPairSync('rsa', { modulusLength: 2048 }), generateKeyPairSync('ec', { namedCurve: 'P-256' })];
  return made.map(({ privateKey }) => ({ ...privateKey.export({ format: 'jwk' }), use: 'sig' }));
}

function loginOf(sub) {
  return Object.keys(people).find((login) => people[login].sub === sub);
}

// Everything that was asked for is allowed.
async function grant(context) {
  const { client, session, params, provider: at } = context.oidc;
  const id = session.grantIdFor(client.clientId);
  const given = (id && (await at.Grant.find(id))) ?? new at.Grant({ clientId: client.clientId, accountId: session.accountId });
  given.addOIDCScope(params.scope ?? '');
  await given.save();
  return given;
}

function start(issuer) {
  const levels = Object.values(people).map((person) => person.acr);
  provider = new Provider(issuer, {
    adapter: Store,
    jwks: { keys: keys() },
    cookies: { keys: cookieKeys },
    acrValues: [...new Set(['0', ...levels.filter(Boolean)])],
    claims: {
      openid: ['sub', 'acr', 'amr', 'groups'],
      email: ['email', 'email_verified'],
      profile: ['name', 'given_name', 'family_name', 'picture', 'locale', 'zoneinfo', 'preferred_username'],
    },
    // As Google does: what the scopes give is in the ID token too.
    conformIdTokenClaims: false,
    clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'],
    enabledJWA: { idTokenSigningAlgValues: ['RS256', 'PS256', 'ES256'], clientAuthSigningAlgValues: ['RS256', 'PS256', 'ES256', 'EdDSA'] },
    pkce: { required: () => false },
    ttl: { Session: 86_400, Grant: 86_400, Interaction: 3600, AccessToken: 3600, IdToken: 3600 },
    features: {
      devInteractions: { enabled: false },
      backchannelLogout: { enabled: true },
      claimsParameter: { enabled: true },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource: (context, form) => {
          context.body = signOut(form);
        },
        postLogoutSuccessSource: (context) => {
          context.body = page('Signed out upstream', '');
        },
      },
    },
    // Without the library's guard, which keeps off loopback.
    fetch: (url, { dispatcher, ...options }) => fetch(url, options),
    findAccount: (_, sub) => {
      const login = loginOf(sub);
      return login && { accountId: sub, claims: () => people[login] };
    },
    loadExistingGrant: grant,
    renderError: (context, out) => {
      context.type = 'html';
      context.body = page('Error upstream', `<pre id="error">${out.error}</pre>`);
    },
  });
  provider.on('backchannel.success', (_, client) => seen.logouts.push({ client: client.clientId }));
  provider.on('backchannel.error', (_, error, client) => seen.logouts.push({ client: client.clientId, error: error.message }));
  provider.on('server_error', (_, error) => console.error(error));
}

async function body(request) {
  let text = '';
  for await (const chunk of request) text += chunk;
  return text;
}

function answer(response, status, type, text) {
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' }).end(text);
}

// The sign-in page, its form, and a way out of it.
async function interact(request, response, path) {
  const { params } = await provider.interactionDetails(request, response);
  const action = path.replace(/\/abort$/, '');
  if (request.method === 'GET') {
    return answer(response, 200, 'text/html; charset=utf-8', signIn(action, params.login_hint ?? '', false));
  }
  if (path.endsWith('/abort')) {
    const result = { error: 'access_denied', error_description: 'the person went away' };
    return provider.interactionFinished(request, response, result);
  }
  const form = new URLSearchParams(await body(request));
  const login = form.get('login') ?? '';
  const person = Object.hasOwn(people, login) ? people[login] : undefined;
  if (!person || form.get('password') !== settings.password) {
    return answer(response, 200, 'text/html; charset=utf-8', signIn(action, login, true));
  }
  const { sub: accountId, acr, amr } = person;
  return provider.interactionFinished(request, response, { login: { accountId, acr, amr } });
}

async function control(request, response, path) {
  const what = `${request.method} ${path.slice('/control/'.length)}`;
  const sent = await body(request);
  if (what === 'POST rotate') start(provider.issuer);
  else if (what === 'PUT clients') register(JSON.parse(sent));
  else if (what === 'PUT people') people = JSON.parse(sent);
  else if (what !== 'GET seen') return answer(response, 404, 'text/plain', what);
  return answer(response, 200, 'application/json', JSON.stringify(seen));
}

async function serve(request, response) {
  const { pathname, searchParams } = new URL(request.url, provider.issuer);
  if (pathname.startsWith('/control/')) return control(request, response, pathname);
  seen.requests[pathname] = (seen.requests[pathname] ?? 0) + 1;
  if (pathname === '/auth') seen.authorization = Object.fromEntries(searchParams);
  if (pathname.startsWith('/interaction/')) return interact(request, response, pathname);
  return provider.callback()(request, response);
}

const server = createServer((request, response) => {
  serve(request, response).catch((error) => {
    console.error(error);
    answer(response, 500, 'text/plain', String(error));
  });
});
server.listen(settings.port, '127.0.0.1', () => {
  register(settings.clients);
  start(`http://127.0.0.1:${server.address().port}`);
  console.log(`issuer ${provider.issuer}`);
});
