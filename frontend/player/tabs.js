// <call-tabs>: the parts of the call page. The chosen one is in data-tab, and in the address, so that it can be linked to.

export class CallTabs extends HTMLElement {
  connectedCallback() {
    this.tabs = [...this.querySelectorAll('[role="tab"]')];
    this.addEventListener("click", ({ target }) => target.closest('[role="tab"]') && this.choose(target.closest('[role="tab"]')));
    this.addEventListener("keydown", (event) => this.#key(event));
    const linked = this.tabs.find(({ id }) => `#${id.replace("tab-", "")}` === location.hash);
    this.choose(linked ?? this.tabs[0], false);
  }

  choose(tab, address = true) {
    for (const other of this.tabs) {
      other.setAttribute("aria-selected", String(other === tab));
      other.tabIndex = other === tab ? 0 : -1;
    }
    this.dataset.tab = tab.id.replace("tab-", "");
    if (address) history.replaceState(history.state, "", `#${this.dataset.tab}`);
  }

  #key(event) {
    const at = this.tabs.indexOf(event.target);
    const next = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: this.tabs.length - 1 }[event.key];
    if (at < 0 || next === undefined) return;
    event.preventDefault();
    const tab = this.tabs.at(next % this.tabs.length);
    tab.focus();
    this.choose(tab);
  }
}
