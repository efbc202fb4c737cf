import type { Metadata } from "next";
import Link from "next/link";
import { google } from "@/lib/auth/google";
import { isKeptAtBonafide } from "@/lib/auth/auth-options";
import SignInForm from "./form";
import { words } from "./words";

export const metadata: Metadata = { title: "Sign in" };

type Query = Promise<Record<string, string | string[] | undefined>>;

export default async function SignIn({ searchParams }: { searchParams: Query }) {
  const { error, registered, sent } = await searchParams;
  return (
    <main>
      <h1>Sign in to Orchard</h1>
      <div className="stack">
        {registered && (
          <p className="quiet" id="registered">
            Thank you. You can sign in now; if you had an account already, we have sent you a mail instead.
          </p>
        )}
        {sent && (
          <p className="quiet" id="sent">
            Look into your mailbox: the link in it signs you in.
          </p>
        )}
        <SignInForm
          error={typeof error === "string" ? words(error) : undefined}
          hasGoogle={google.length > 0}
          isByMail={isKeptAtBonafide}
        />
        <p className="quiet">
          New here? <Link href="/signup">Create an account</Link>
        </p>
      </div>
    </main>
  );
}
