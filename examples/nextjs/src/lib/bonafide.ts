import { headers } from "next/headers";

/** A person as `/auth/me` answers; attributes that the operator has declared come beside these. */
export interface Person {
  id: string;
  username: string | null;
  email: string | null;
  name: string | null;
  emailVerified: string | null;
  image: string | null;
  roles: string[];
  created_at: string;
  updated_at: string;
}

export interface BackendTokens {
  accessToken: string;
  refreshToken: string;
  /** When the access token expires, in milliseconds since 1970. */
  expiresIn: number;
}

/** The answer of `/auth/login` and `/auth/oAuthlogin`. */
export interface LoggedIn {
  user: Person;
  backendTokens: BackendTokens;
}

/** What every refusal looks like (RFC 9457). */
export interface Problem {
  status: number;
  code?: string;
  message: string;
  errors?: Record<string, string[]>;
}

export const bonafideUrl = () => process.env.API_GATEWAY_URL || "http://localhost:8080";

/** The secret that is shared with Bonafide alone: nobody signs in with a forgotten or a borrowed one. */
export function adapterSecret(): string {
  const secret = process.env.ADAPTER_SECRET ?? "";
  if (secret.length < 32 || secret === process.env.NEXTAUTH_SECRET) {
    throw new Error("ADAPTER_SECRET must have 32 characters at least, and be another than NEXTAUTH_SECRET");
  }
  return secret;
}

/**
 * Who is really asking. Bonafide counts attempts by address and writes to people about new devices: without these all of them would
 * be this server. It believes us only if its `proxies.trusted` names us.
 */
export async function visitor(): Promise<Record<string, string>> {
  const incoming = await headers();
  const known: Record<string, string> = {};
  for (const name of ["x-forwarded-for", "user-agent", "accept-language"]) {
    const value = incoming.get(name);
    if (value) known[name] = value;
  }
  return known;
}

/** Calls Bonafide for the visitor; nothing of it is cached. */
export async function call(
  path: string,
  request: { method?: string; body?: unknown; headers?: Record<string, string> } = {},
): Promise<Response> {
  const { method = "GET", body, headers: more } = request;
  return fetch(`${bonafideUrl()}${path}`, {
    method,
    headers: { ...(await visitor()), ...(body === undefined ? {} : { "content-type": "application/json" }), ...more },
    body: body === undefined ? undefined : JSON.stringify(body),
    cache: "no-store",
    redirect: "error",
    signal: AbortSignal.timeout(10_000),
  });
}
