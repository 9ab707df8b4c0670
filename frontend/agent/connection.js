// The buttons that fill a new connection in with what is known of a service.
export function connectionForm() {
  return {
    onMachine: false,

    fill(event) {
      const { name, baseUrl, model, local } = event.currentTarget.dataset;
      const { elements } = this.$root;
      elements.name.value = name;
      elements.base_url.value = baseUrl;
      elements.default_model.value = model;
      this.onMachine = local === "yes";
      (this.onMachine ? elements.default_model : elements.api_key).focus();
    },
  };
}
