"use client";

import { signOut } from "next-auth/react";
import { useHydrated } from "./hydrated";

export default function SignOut() {
  return (
    <button id="sign-out" type="button" disabled={!useHydrated()} onClick={() => signOut({ callbackUrl: "/" })}>
      Sign out
    </button>
  );
}
