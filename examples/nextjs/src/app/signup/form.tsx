"use client";

import { useActionState } from "react";
import { signUp, type Refused } from "./actions";

const fields = [
  { name: "name", label: "Name", type: "text", autoComplete: "name" },
  { name: "email", label: "Email", type: "email", autoComplete: "username" },
  { name: "password", label: "Password", type: "password", autoComplete: "new-password", minLength: 8 },
] as const;

export default function SignUpForm() {
  const [refused, action, isBusy] = useActionState<Refused, FormData>(signUp, {});
  const typed: Record<string, string | undefined> = { name: refused.name, email: refused.email };
  const hasFieldErrors = fields.some(({ name }) => refused.errors?.[name]);
  return (
    <form action={action}>
      {refused.message && !hasFieldErrors && (
        <p className="error" id="error" role="alert">
          {refused.message}
        </p>
      )}
      {fields.map(({ name, label, ...input }) => {
        const errors = refused.errors?.[name];
        return (
          <label key={name}>
            {label}
            <input
              {...input}
              id={name}
              name={name}
              required
              defaultValue={typed[name]}
              aria-invalid={errors ? true : undefined}
              aria-describedby={errors ? `${name}-error` : undefined}
            />
            {errors && (
              <span className="error" id={`${name}-error`}>
                {errors.join(" ")}
              </span>
            )}
          </label>
        );
      })}
      <button className="primary" id="sign-up" disabled={isBusy}>
        Create account
      </button>
    </form>
  );
}
