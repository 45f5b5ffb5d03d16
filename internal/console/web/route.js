// The address: #/view/argument?name=value. What a view shows can be kept as a link.

/** read takes the address apart. */
export function read() {
  const hash = location.hash.slice(1) || "/requests";
  const at = hash.includes("?") ? hash.indexOf("?") : hash.length; // a value may hold another one
  const [, view, ...rest] = hash.slice(0, at).split("/");
  return { view: view || "requests", argument: rest.join("/"), params: new URLSearchParams(hash.slice(at + 1)) };
}

/** link is the address of a view; empty values are left out. */
export function link(view, argument, params) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(params ?? {})) {
    if (value !== "" && value !== undefined && value !== null && value !== false) query.set(name, value);
  }
  const text = query.toString();
  return `#/${view}${argument ? `/${argument}` : ""}${text ? `?${text}` : ""}`;
}

/** replace changes the address without a new entry in the history, and tells nobody. */
export function replace(hash) {
  if (hash !== location.hash) history.replaceState(history.state, "", hash);
}
