// The page of a connection: what its vendor is and does, and the buttons that fill in what is known of a compatible service.
export function connectionForm() {
  return {
    vendor: {},
    compatible: false,
    advanced: false,
    onMachine: false,

    init() {
      this.known = JSON.parse(document.getElementById("vendors").textContent);
      this.named = !this.$root.elements.name.value;
      this.choose();
    },

    choose() {
      const { vendor, name, base_url: address, default_model: model } = this.$root.elements;
      this.vendor = this.known[vendor.value] ?? {};
      this.compatible = vendor.value === "compatible";
      this.advanced = this.compatible || address.value !== "";
      this.onMachine = false;
      this.$refs.models.replaceChildren(...(this.vendor.models ?? []).map((each) => new Option(each, each)));
      model.setAttribute("list", this.$refs.models.id);
      model.placeholder = this.vendor.models?.[0] ?? "";
      this.$refs.roles.replaceChildren(...(this.vendor.roles ?? []).map(badge));
      // A name that was not typed follows the vendor.
      if (this.named) name.value = this.compatible ? "" : this.vendor.label;
    },

    typed() {
      this.named = false;
    },

    get hint() {
      return this.vendor.hint ? `A key is had from: ${this.vendor.hint}.` : "";
    },

    get hosted() {
      return !this.compatible;
    },

    get answers() {
      return this.vendor.hasModels !== false;
    },

    fill(event) {
      const { name, baseUrl, model, local } = event.currentTarget.dataset;
      const { elements } = this.$root;
      elements.name.value = name;
      elements.base_url.value = baseUrl;
      elements.default_model.value = model;
      this.named = false;
      this.onMachine = local === "yes";
      (this.onMachine ? elements.default_model : elements.api_key).focus();
    },
  };
}

function badge(role) {
  const pill = document.createElement("span");
  pill.className = "pill";
  pill.textContent = role;
  return pill;
}
