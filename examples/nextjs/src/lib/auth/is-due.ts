import type { BackendTokens } from "@/lib/bonafide";

/** Due a little before it expires, so that it is still good when it arrives. */
export const isDue = (tokens: BackendTokens) => Date.now() > tokens.expiresIn - 2_000;
