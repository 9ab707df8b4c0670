// Who else has the agent open, and where they are: shown in the header, and told to the others. builder/consumers.py has
// the messages.
const AGAIN_MS = 20_000;
const GONE_MS = 50_000;
const RECONNECT_MS = 5000;

export class Presence {
  /** @param {(saved: {revision: number, name: string, yours: boolean}) => void} onSaved */
  constructor(path, view, onSaved) {
    this.url = new URL(path, location.href);
    this.url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    this.place = "";
    this.view = view;
    this.onSaved = onSaved;
    this.others = new Map();
    this.#connect();
    setInterval(() => this.#tick(), AGAIN_MS);
  }

  /** The person is at this control now. */
  at(place) {
    if (place === this.place) return;
    this.place = place;
    this.#introduce();
  }

  #connect() {
    this.socket = new WebSocket(this.url);
    this.socket.addEventListener("open", () => this.#introduce());
    this.socket.addEventListener("message", ({ data }) => this.#hear(JSON.parse(data)));
    this.socket.addEventListener("close", ({ code }) => {
      this.others.clear();
      this.#draw();
      if (code < 4000) setTimeout(() => this.#connect(), RECONNECT_MS);
    });
  }

  #introduce() {
    const { socket, view, place } = this;
    if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ type: "here", view, place: place.slice(0, 120) }));
  }

  #tick() {
    this.#introduce();
    for (const [window, { seen }] of this.others) if (performance.now() - seen > GONE_MS) this.others.delete(window);
    this.#draw();
  }

  #hear(message) {
    if (message.type === "saved") return this.onSaved(message);
    if (message.type === "here") this.others.set(message.window, { ...message, seen: performance.now() });
    if (message.type === "left") this.others.delete(message.window);
    return this.#draw();
  }

  #draw() {
    const items = [...this.others.values()].map(({ name, initials, view, place, yours }) => {
      const who = yours ? "You, in another window" : `${name} is editing too`;
      const item = document.createElement("li");
      item.className = "presence-item";
      item.title = `${who}: ${[view, place].filter(Boolean).join(", ")}`;
      const letters = document.createElement("span");
      letters.setAttribute("aria-hidden", "true");
      letters.textContent = initials;
      const words = document.createElement("span");
      words.className = "sr-only";
      words.textContent = item.title;
      item.append(letters, words);
      return item;
    });
    document.querySelector("[data-presence]")?.replaceChildren(...items);
  }
}
