// The few pages a person sees here.

export function escape(text) {
  return String(text).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

export function page(title, body) {
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escape(title)}</title><main><h1>${escape(title)}</h1>${body}</main></html>`;
}

export function signIn(action, login, refused) {
  return page('Sign in upstream', `${refused ? '<p id="error" role="alert">That is not right.</p>' : ''}
<form method="post" action="${escape(action)}">
<p><label for="login">Login</label> <input id="login" name="login" autocomplete="username" value="${escape(login)}"></p>
<p><label for="password">Password</label> <input id="password" name="password" type="password" autocomplete="current-password"></p>
<p><button id="upstream-sign-in">Sign in</button></p></form>
<form method="post" action="${escape(action)}/abort"><button id="upstream-cancel">Cancel</button></form>`);
}

export function signOut(form) {
  return page('Sign out upstream', `${form}
<p><button id="upstream-sign-out" type="submit" form="op.logoutForm" name="logout" value="yes">Sign out</button></p>`);
}
