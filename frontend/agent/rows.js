// Rows of controls that are added and taken away: templates/builder/_rows.html.
export function rows() {
  return {
    pressed(event) {
      if (event.target.closest("[data-add]")) this.add();
      else this.remove(event.target.closest("[data-remove]"));
    },

    add() {
      this.$refs.list.append(document.importNode(this.$refs.blank.content, true));
      this.$refs.list.lastElementChild.querySelector("input, select").focus();
      // A row of choices alone says something as it stands.
      this.$store.draft.changed();
    },

    remove(button) {
      if (!button) return;
      button.closest("[data-row]").remove();
      this.$root.querySelector("[data-add]").focus();
      this.$store.draft.changed();
    },
  };
}
