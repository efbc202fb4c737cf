import type { Metadata } from "next";
import Link from "next/link";
import SignUpForm from "./form";

export const metadata: Metadata = { title: "Sign up" };

export default function SignUp() {
  return (
    <main>
      <h1>Create an account</h1>
      <div className="stack">
        <SignUpForm />
        <p className="quiet">
          Been here before? <Link href="/signin">Sign in</Link>
        </p>
      </div>
    </main>
  );
}
