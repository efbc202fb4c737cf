import type { DefaultSession } from "next-auth";
import type { BackendTokens, Person } from "@/lib/bonafide";

declare module "next-auth" {
  /** What the browser may read: who it is, and no token. */
  interface Session {
    user: Person | DefaultSession["user"];
  }

  /** What `authorize` hands to the `jwt` callback. */
  interface User {
    person?: Person;
    backendTokens?: BackendTokens;
  }
}

declare module "next-auth/jwt" {
  /** What the cookie holds, sealed. */
  interface JWT {
    user?: Person;
    backendTokens?: BackendTokens;
  }
}
