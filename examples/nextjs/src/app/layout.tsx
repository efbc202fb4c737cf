import type { Metadata } from "next";
import Link from "next/link";
import type { ReactNode } from "react";
import { currentUser } from "@/lib/session";
import "./globals.css";
import SignOut from "./sign-out";

export const metadata: Metadata = { title: { default: "Orchard", template: "%s · Orchard" } };

export default async function Layout({ children }: { children: ReactNode }) {
  const user = await currentUser();
  return (
    <html lang="en">
      <body>
        <header>
          <strong>Orchard</strong>
          <Link href="/">Home</Link>
          {user ? (
            <>
              <Link href="/profile">Profile</Link>
              {user && "roles" in user && user.roles.includes("admin") && <Link href="/admin">People</Link>}
              <SignOut />
            </>
          ) : (
            <>
              <Link href="/signup">Sign up</Link>
              <Link href="/signin">Sign in</Link>
            </>
          )}
        </header>
        {children}
      </body>
    </html>
  );
}
