"use client";

import { signOut } from "next-auth/react";

export default function SignOut() {
  return (
    <button id="sign-out" type="button" onClick={() => signOut({ callbackUrl: "/" })}>
      Sign out
    </button>
  );
}
