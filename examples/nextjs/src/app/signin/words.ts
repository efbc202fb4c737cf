/** What NextAuth and Bonafide call it, in words. */
const sentences: Record<string, string> = {
  invalid_credentials: "Name and password do not match. Look at both again.",
  CredentialsSignin: "Please enter your name and your password.",
  throttled: "Too many attempts. Wait some minutes, then try again.",
  mfa_required: "This account asks for a second factor, which this example does not know.",
  invalid_email: "Open the link that we have mailed you first, then sign in.",
  AccessDenied: "Your address is not verified there, so we cannot take it for yours.",
  OAuthAccountNotLinked: "Somebody has an account with this address. Sign in as you did first, then link Google in your profile.",
  Verification: "This link was used already, or has expired. Ask for another one.",
};

export const words = (error: string) =>
  (Object.hasOwn(sentences, error) && sentences[error]) || "That did not work. Please try again in a moment.";
