import GoogleProvider from "next-auth/providers/google";

/** Google, or the provider that stands in its place; nobody where no client is registered. */
export const google = process.env.GOOGLE_CLIENT_ID
  ? [
      GoogleProvider({
        clientId: process.env.GOOGLE_CLIENT_ID,
        clientSecret: process.env.GOOGLE_CLIENT_SECRET ?? "",
        ...(process.env.GOOGLE_WELL_KNOWN ? { wellKnown: process.env.GOOGLE_WELL_KNOWN } : {}),
      }),
    ]
  : [];

/** An address that its provider has not verified may be anybody's. */
export const isVerified = (profile: object | undefined) =>
  profile !== undefined && "email_verified" in profile && profile.email_verified === true;
