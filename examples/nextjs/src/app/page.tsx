import Link from "next/link";
import { currentUser } from "@/lib/session";

export default async function Home() {
  const user = await currentUser();
  return (
    <main>
      <h1 id="greeting">{user ? `Good to see you, ${user.name ?? user.email}` : "Apples from the neighbours"}</h1>
      <div className="stack">
        <p className="quiet">A small shop whose people, passwords and sessions are kept by Bonafide.</p>
        <Link className="button primary" href={user ? "/profile" : "/signin"}>
          {user ? "Your profile" : "Sign in"}
        </Link>
      </div>
    </main>
  );
}
