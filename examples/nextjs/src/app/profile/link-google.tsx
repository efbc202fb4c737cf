"use client";

import { signIn } from "next-auth/react";

export default function LinkGoogle() {
  return (
    <button id="link-google" type="button" onClick={() => signIn("google", { callbackUrl: "/profile" })}>
      Link your Google account
    </button>
  );
}
