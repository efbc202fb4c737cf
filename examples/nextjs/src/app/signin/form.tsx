"use client";

import { signIn } from "next-auth/react";
import { useState, type FormEvent } from "react";
import { useHydrated } from "../hydrated";
import { words } from "./words";

export default function SignInForm(properties: { error?: string; hasGoogle: boolean; isByMail: boolean }) {
  const { hasGoogle, isByMail } = properties;
  const [error, setError] = useState(properties.error);
  const [isBusy, setBusy] = useState(false);
  const isHydrated = useHydrated();

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const { email, password } = Object.fromEntries(new FormData(event.currentTarget));
    if (isByMail) {
      await signIn("email", { email, callbackUrl: "/profile" });
      return;
    }
    setBusy(true);
    setError(undefined);
    const answer = await signIn("credentials", { email, password, redirect: false }).catch(() => undefined);
    if (answer?.ok) {
      // A whole load, so that everything on the page is theirs.
      window.location.assign("/profile");
    } else {
      setError(words(answer?.error ?? ""));
      setBusy(false);
    }
  }

  return (
    <>
      <form method="post" onSubmit={submit}>
        <p className="error" id="error" role="alert">
          {error}
        </p>
        <label>
          {isByMail ? "Email" : "Email or username"}
          <input
            id="email"
            name="email"
            type={isByMail ? "email" : "text"}
            autoCapitalize="none"
            autoComplete="username"
            inputMode="email"
            required
            spellCheck={false}
          />
        </label>
        {!isByMail && (
          <label>
            Password
            <input id="password" name="password" type="password" autoComplete="current-password" required />
          </label>
        )}
        <button className="primary" id="sign-in" disabled={isBusy || !isHydrated}>
          {isByMail ? "Mail me a link" : "Sign in"}
        </button>
      </form>
      {hasGoogle && (
        <>
          <p className="or">or</p>
          <button
            id="google"
            type="button"
            disabled={!isHydrated}
            onClick={() => signIn("google", { callbackUrl: "/profile" })}
          >
            Continue with Google
          </button>
        </>
      )}
    </>
  );
}
