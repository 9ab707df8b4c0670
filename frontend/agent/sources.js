// Where recognition, voices and language models come from: what the page knows of each connection.
let known;

/** Of the connection with this id: the models of each role, and where its voices are listed. */
export function facts(connection) {
  known ??= JSON.parse(document.getElementById("connection-facts").textContent);
  return known[connection] ?? {};
}

/** A choice of a connection (x-ref="connection") whose models are offered to the control x-ref="models" is the list of. */
export function sourceChoice() {
  return {
    local: true,

    init() {
      const { models } = this.$refs;
      this.$root.querySelector(`[name="${models.dataset.for}"]`).setAttribute("list", models.id);
      this.choose();
    },

    choose() {
      const { connection, models } = this.$refs;
      this.local = connection.value === "local";
      const offered = facts(connection.value)[models.dataset.role] ?? [];
      models.replaceChildren(...offered.map((name) => new Option(name, name)));
    },

    get hosted() {
      return !this.local;
    },
  };
}
