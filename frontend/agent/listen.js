// Many buttons that each say something: the words of the form x-ref="words", and what is in data-say, as JSON, instead.
import { speech } from "./speech.js";

export function listen() {
  const audio = new Audio();
  let button; // the one that plays

  const rest = () => {
    button?.removeAttribute("aria-pressed");
    button = undefined;
  };

  return {
    error: "",

    init() {
      audio.addEventListener("ended", rest);
      audio.addEventListener("pause", rest);
    },

    destroy() {
      audio.pause();
      URL.revokeObjectURL(audio.src);
    },

    async play({ currentTarget }) {
      const again = currentTarget === button;
      audio.pause();
      if (again || currentTarget.hasAttribute("aria-busy")) return;
      this.error = "";
      currentTarget.setAttribute("aria-busy", "true");
      try {
        const sound = await speech(this.$root.dataset.url, this.words(currentTarget));
        audio.pause();
        URL.revokeObjectURL(audio.src);
        audio.src = URL.createObjectURL(sound);
        await audio.play();
        button = currentTarget;
        button.setAttribute("aria-pressed", "true");
      } catch (error) {
        this.error = error.message;
      } finally {
        currentTarget.removeAttribute("aria-busy");
      }
    },

    words(source) {
      const body = new FormData(this.$refs.words);
      for (const [name, value] of Object.entries(JSON.parse(source.dataset.say ?? "{}"))) body.set(name, value);
      return body;
    },
  };
}
