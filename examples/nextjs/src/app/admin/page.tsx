import type { Metadata } from "next";
import type { Person } from "@/lib/bonafide";
import { callAsUser } from "@/lib/session";

export const metadata: Metadata = { title: "People" };

/** Bonafide decides who may see this, by the role that the person has now. */
export default async function Admin() {
  const answer = await callAsUser("/auth?limit=100");
  if (answer.status === 403) {
    return (
      <main>
        <h1 id="forbidden">This page is for administrators</h1>
        <p className="quiet">You are signed in, but your account does not have that role.</p>
      </main>
    );
  }
  if (!answer.ok) throw new Error(`Bonafide answers ${answer.status}`);
  const people: Person[] = await answer.json();
  return (
    <main className="wide">
      <h1>People</h1>
      <div className="scroll" role="region" aria-label="People" tabIndex={0}>
        <table id="people">
          <thead>
            <tr>
              <th>Name</th>
              <th>Email</th>
              <th>Roles</th>
            </tr>
          </thead>
          <tbody>
            {people.map(({ id, name, email, roles }) => (
              <tr key={id}>
                <td>{name}</td>
                <td>{email}</td>
                <td>{roles.join(", ")}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </main>
  );
}
