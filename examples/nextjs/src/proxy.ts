import { NextResponse, type NextRequest } from "next/server";
import { getToken } from "next-auth/jwt";
import { isDue } from "@/lib/auth/is-due";

/**
 * Refreshes before a page is made. A page cannot set cookies, so a refresh there would be spent and its answer lost; here NextAuth
 * does it, the browser keeps the new cookie, and the page reads it as well.
 */
export async function proxy(request: NextRequest) {
  const token = await getToken({ req: request });
  if (!token?.backendTokens || !isDue(token.backendTokens)) {
    return NextResponse.next();
  }
  const own = process.env.NEXTAUTH_URL_INTERNAL || process.env.NEXTAUTH_URL || request.nextUrl.origin;
  const headers = new Headers();
  for (const name of ["cookie", "x-forwarded-for", "user-agent"]) headers.set(name, request.headers.get(name) ?? "");
  const refreshed = await fetch(new URL("/api/auth/session", own), { headers, cache: "no-store" });
  const cookies = refreshed.headers.getSetCookie();
  for (const cookie of cookies) {
    const [, name, value] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
    if (!name) continue;
    if (value) request.cookies.set(name, value);
    else request.cookies.delete(name);
  }
  const response = NextResponse.next({ request });
  for (const cookie of cookies) response.headers.append("set-cookie", cookie);
  return response;
}

export const config = { matcher: "/((?!api|_next|.*\\..*).*)" };
