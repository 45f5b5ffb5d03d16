// The requests that the console knows, as they come. The page holds as many as the server keeps.

const capacity = 5000;

/** Store holds the summaries, oldest first, and tells views when there are more. */
export class Store extends EventTarget {
  summaries = [];
  state = "connecting"; // live, waiting, recorded
  current = false; // everything that there is was received
  runs = 0; // how many runs the page has seen: each numbers its requests from 1

  #source;
  #last = "";
  #run;

  constructor(run) {
    super();
    this.#run = run;
    // A page in the background lets go of its connection: a browser has six for a host.
    document.addEventListener("visibilitychange", () => (document.hidden ? this.#close() : this.#open()));
    this.#open();
  }

  #open() {
    if (this.#source || document.hidden) return;
    const source = new EventSource(this.#last ? `/api/stream?after=${this.#last}` : "/api/stream");
    this.#source = source;
    source.addEventListener("open", () => this.#become(this.#run.recorded ? "recorded" : "live"));
    source.addEventListener("reset", (event) => {
      this.#last = event.lastEventId;
      // Another stack answers here now, with other identities and another token.
      if (!event.lastEventId.startsWith(`${this.#run.name}.`)) location.reload();
      this.summaries = [];
      this.current = false;
      this.runs++;
      this.#changed(0);
    });
    source.addEventListener("records", (event) => {
      this.#last = event.lastEventId;
      const fresh = JSON.parse(event.data);
      this.summaries.push(...fresh);
      if (this.summaries.length > capacity) this.summaries.splice(0, this.summaries.length - capacity);
      this.#changed(fresh.length);
    });
    source.addEventListener("current", () => {
      this.current = true;
      this.#changed(0);
    });
    source.addEventListener("error", () => {
      this.#become("waiting");
      if (source.readyState !== EventSource.CLOSED) return; // the browser comes back by itself
      this.#close();
      setTimeout(() => this.#open(), 3000);
    });
  }

  #close() {
    this.#source?.close();
    this.#source = undefined;
  }

  #become(state) {
    if (this.state === state) return;
    this.state = state;
    this.dispatchEvent(new Event("state"));
  }

  #changed(fresh) {
    this.dispatchEvent(new CustomEvent("records", { detail: fresh }));
  }
}

/** get fetches JSON from the console; an error has the server's words. */
export async function get(path) {
  return answer(await fetch(path));
}

/** post sends JSON with the token of the run. */
export async function post(path, token, value) {
  return answer(await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Marquee-Token": token },
    body: JSON.stringify(value),
  }));
}

async function answer(response) {
  const value = await response.json().catch(() => ({ error: `the console answered ${response.status}` }));
  if (!response.ok) throw new Error(value.error ?? `the console answered ${response.status}`);
  return value;
}
