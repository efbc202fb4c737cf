"use server";

import { redirect } from "next/navigation";
import { call, type Problem } from "@/lib/bonafide";

/** What was refused, beside what was typed (never the password). */
export interface Refused {
  message?: string;
  errors?: Record<string, string[]>;
  name?: string;
  email?: string;
}

export async function signUp(_: Refused, form: FormData): Promise<Refused> {
  const [name, email, password] = ["name", "email", "password"].map((field) => String(form.get(field) ?? ""));
  const typed = { name, email };
  let answer: Response;
  try {
    answer = await call("/auth/register", { method: "POST", body: { name, email, password } });
  } catch {
    return { ...typed, message: "That did not work. Please try again in a moment." };
  }
  if (answer.ok) {
    redirect("/signin?registered=1");
  }
  if (!answer.headers.get("content-type")?.includes("json")) {
    return { ...typed, message: "That did not work. Please try again in a moment." };
  }
  const { message, errors }: Problem = await answer.json();
  return { ...typed, message, errors };
}
