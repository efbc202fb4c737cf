import type { NextAuthOptions } from "next-auth";
import type { EmailConfig } from "next-auth/providers/email";
import AuthRestAdapter from "./api-adapter";
import { google, isVerified } from "./google";

/** A link that signs in, once. Send it; this example prints it. */
const mailedLink: EmailConfig = {
  id: "email",
  type: "email",
  name: "Email",
  server: "",
  from: "",
  maxAge: 15 * 60,
  options: {},
  async sendVerificationRequest({ identifier, url }) {
    console.log(`Sign-in link for ${identifier}: ${url}`);
  },
};

/** Sessions that Bonafide keeps: the cookie is only their name, and they end there. They come without tokens for its API. */
const databaseOptions: NextAuthOptions = {
  adapter: AuthRestAdapter(),
  providers: [...google, mailedLink],
  session: {
    strategy: "database",
    maxAge: 30 * 24 * 60 * 60,
    // Each visit prolongs the session.
    updateAge: 0,
  },
  callbacks: {
    signIn({ account, profile }) {
      return account?.type !== "oauth" || isVerified(profile);
    },
    session({ session, user }) {
      return { ...session, user: { name: user.name, email: user.email, image: user.image } };
    },
  },
  pages: {
    signIn: "/signin",
    error: "/signin",
    verifyRequest: "/signin?sent=1",
  },
  secret: process.env.NEXTAUTH_SECRET,
};

export default databaseOptions;
