// What a prompt weighs.
const LETTERS_A_TOKEN = 4.4;
const SLOW_SECONDS = 6;

export function promptMeter() {
  return {
    text: "",
    shown: true,

    init() {
      const area = this.$root.querySelector("textarea");
      this.text = area.value;
      area.addEventListener("input", () => (this.text = area.value));
    },

    get tokens() {
      return Math.ceil(this.text.trim().length / LETTERS_A_TOKEN);
    },

    get seconds() {
      return this.tokens / Number(this.$root.dataset.speed);
    },

    get local() {
      return this.$store.draft.local && this.tokens > 0;
    },

    get size() {
      return `${this.text.length.toLocaleString()} characters, about ${this.tokens.toLocaleString()} tokens.`;
    },

    get cost() {
      const took = this.seconds < 1 ? `${Math.round(this.seconds * 100) * 10} ms` : `${this.seconds.toFixed(1)} s`;
      const advice = this.seconds > SLOW_SECONDS ? " Shorten it, or choose a faster language model." : "";
      return `The local model reads it in about ${took} while the call connects, and remembers it.${advice}`;
    },

    get tone() {
      return this.seconds > SLOW_SECONDS ? "text-warning" : "";
    },
  };
}
