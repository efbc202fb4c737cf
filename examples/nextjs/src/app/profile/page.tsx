import type { Metadata } from "next";
import { redirect } from "next/navigation";
import { isKeptAtBonafide } from "@/lib/auth/auth-options";
import { google } from "@/lib/auth/google";
import type { Person } from "@/lib/bonafide";
import { callAsUser, currentUser } from "@/lib/session";
import LinkGoogle from "./link-google";

export const metadata: Metadata = { title: "Your profile" };

/** Asks Bonafide, so that what is shown is what is true now, and a session that has ended is at its end. */
async function me(): Promise<Partial<Person>> {
  if (isKeptAtBonafide) {
    const user = await currentUser();
    return (user as Partial<Person>) ?? redirect("/signin");
  }
  const answer = await callAsUser("/auth/me");
  if (!answer.ok) throw new Error(`Bonafide answers ${answer.status}`);
  return answer.json();
}

export default async function Profile() {
  const person = await me();
  return (
    <main>
      <h1>Your profile</h1>
      <dl>
        <dt>Name</dt>
        <dd id="name">{person.name ?? "–"}</dd>
        <dt>Email</dt>
        <dd id="email">{person.email ?? "–"}</dd>
        {person.roles && (
          <>
            <dt>Verified</dt>
            <dd id="verified">{person.emailVerified ? "yes" : "not yet"}</dd>
            <dt>Roles</dt>
            <dd id="roles">{person.roles.join(", ") || "none"}</dd>
          </>
        )}
      </dl>
      {google.length > 0 && <LinkGoogle />}
    </main>
  );
}
