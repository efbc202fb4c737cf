import { cookies, headers } from "next/headers";
import { redirect } from "next/navigation";
import { getServerSession, type Session } from "next-auth";
import { getToken } from "next-auth/jwt";
import authOptions, { isKeptAtBonafide } from "./auth/auth-options";
import { call } from "./bonafide";

/**
 * What the cookie holds. It is only read: `getServerSession` would run the `jwt` callback, and a page cannot send the browser the
 * refresh token that comes of it. `proxy.ts` has refreshed before.
 */
async function token() {
  const [jar, incoming] = await Promise.all([cookies(), headers()]);
  const req = {
    cookies: Object.fromEntries(jar.getAll().map(({ name, value }) => [name, value])),
    headers: Object.fromEntries(incoming),
  };
  return getToken({ req: req as unknown as Parameters<typeof getToken>[0]["req"] });
}

/** Who is signed in, by the cookie alone: good for a greeting, not for a decision. */
export async function currentUser(): Promise<Session["user"] | undefined> {
  if (isKeptAtBonafide) {
    return (await getServerSession(authOptions))?.user;
  }
  return (await token())?.user;
}

/** Calls Bonafide as the person who is signed in, or sends nobody to sign in. */
export async function callAsUser(path: string): Promise<Response> {
  const accessToken = (await token())?.backendTokens?.accessToken;
  const answer = accessToken ? await call(path, { headers: { authorization: `Bearer ${accessToken}` } }) : undefined;
  if (!answer || answer.status === 401) {
    redirect("/signin");
  }
  return answer;
}
