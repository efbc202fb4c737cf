import type { Account, NextAuthOptions, User } from "next-auth";
import type { JWT } from "next-auth/jwt";
import CredentialsProvider from "next-auth/providers/credentials";
import { adapterSecret, call, type BackendTokens, type LoggedIn, type Problem } from "@/lib/bonafide";
import AuthRestAdapter from "./api-adapter";
import databaseOptions from "./database-options";
import { google, isVerified } from "./google";
import { isDue } from "./is-due";

/** Thrown in the `jwt` callback it takes the cookie away, which is how NextAuth signs somebody out. */
class SignedOut extends Error {}

async function refreshToken(token: JWT, refresh: string): Promise<JWT> {
  const res = await call("/auth/refresh", { method: "POST", headers: { authorization: `Refresh ${refresh}` } });
  if (res.status === 401) {
    throw new SignedOut("Bonafide has ended this session");
  }
  if (!res.ok) {
    throw new Error(`Bonafide answers ${res.status}`);
  }
  const response: BackendTokens = await res.json();
  return { ...token, backendTokens: response };
}

/** Tokens for who has just signed in with Google: by this application's word, not by an address alone. */
async function oAuthLogin(token: JWT, user: User, account: Account): Promise<JWT> {
  const res = await call("/auth/oAuthlogin", {
    method: "POST",
    body: { email: user.email, provider: account.provider, providerAccountId: account.providerAccountId },
    headers: { "x-auth-secret": adapterSecret() },
  });
  if (!res.ok) {
    throw new Error(`Bonafide answers ${res.status}`);
  }
  const { user: person, backendTokens }: LoggedIn = await res.json();
  return { ...token, user: person, backendTokens };
}

const jwtOptions: NextAuthOptions = {
  adapter: AuthRestAdapter(),
  providers: [
    ...google,
    CredentialsProvider({
      name: "Credentials",
      credentials: {
        email: { label: "Email", type: "text" },
        password: { label: "Password", type: "password" },
      },
      async authorize(credentials) {
        if (!credentials?.email || !credentials?.password) {
          return null;
        }
        const { email, password } = credentials;
        const res = await call("/auth/login", { method: "POST", body: { email, password } });
        if (res.status === 400) {
          // Throttled, or another step is needed: the page has words for each.
          const { code }: Problem = await res.json();
          throw new Error(code ?? "invalid_credentials");
        }
        if (!res.ok) {
          throw new Error("unavailable");
        }
        const { user: person, backendTokens }: LoggedIn = await res.json();
        // With its id NextAuth knows who is signed in when they link another account.
        return { id: person.id, name: person.name, email: person.email, person, backendTokens };
      },
    }),
  ],
  session: {
    strategy: "jwt",
    maxAge: 30 * 24 * 60 * 60,
  },
  callbacks: {
    signIn({ account, profile }) {
      return account?.type !== "oauth" || isVerified(profile);
    },
    async jwt({ token, user, account }) {
      if (account?.type === "oauth") {
        return oAuthLogin(token, user, account);
      }
      if (user && account?.type === "credentials") {
        return { ...token, user: user.person, backendTokens: user.backendTokens };
      }
      if (!token.backendTokens) {
        throw new SignedOut("no session of ours");
      }
      if (!isDue(token.backendTokens)) {
        return token;
      }
      try {
        return await refreshToken(token, token.backendTokens.refreshToken);
      } catch (error) {
        if (error instanceof SignedOut) throw error;
        // Bonafide is not there at the moment. The session is, so the next request tries again.
        console.error("Token refresh failed:", error);
        return token;
      }
    },
    async session({ token, session }) {
      return { ...session, user: token.user };
    },
  },
  events: {
    /** Ends the refresh token's whole family at Bonafide: no copy of the cookie is good for anything. */
    async signOut({ token }) {
      const refresh = token?.backendTokens?.refreshToken;
      if (refresh) {
        await call("/auth/logout", { method: "POST", headers: { authorization: `Refresh ${refresh}` } });
      }
    },
  },
  pages: {
    signIn: "/signin",
    error: "/signin",
  },
  secret: process.env.NEXTAUTH_SECRET,
};

export const isKeptAtBonafide = process.env.SESSIONS === "database";

const authOptions = isKeptAtBonafide ? databaseOptions : jwtOptions;

export default authOptions;
