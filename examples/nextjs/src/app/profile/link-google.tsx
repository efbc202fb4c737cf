"use client";

import { signIn } from "next-auth/react";
import { useHydrated } from "../hydrated";

export default function LinkGoogle() {
  return (
    <button
      id="link-google"
      type="button"
      disabled={!useHydrated()}
      onClick={() => signIn("google", { callbackUrl: "/profile" })}
    >
      Link your Google account
    </button>
  );
}
