// Additions only: every page is complete without this file.
"use strict";

for (const code of document.querySelectorAll(".code")) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy button";
  button.textContent = "Copy";
  const said = document.createElement("span");
  said.className = "sr";
  said.setAttribute("role", "status");
  button.addEventListener("click", async () => {
    const text = [...code.querySelectorAll(".text")].map((line) => line.textContent).join("");
    try {
      await navigator.clipboard.writeText(text.replace(/\n$/, ""));
      button.textContent = "Copied";
      said.textContent = "Code copied";
    } catch {
      button.textContent = "Copying is not allowed here";
    }
    setTimeout(() => {
      button.textContent = "Copy";
      said.textContent = "";
    }, 2000);
  });
  code.prepend(button, said);
}

const refresh = document.querySelector("[data-refresh]");
if (refresh) {
  const box = refresh.querySelector("input");
  const key = "refresh:" + location.pathname;
  refresh.hidden = false;
  box.checked = sessionStorage.getItem(key) === "on";
  let timer;
  const plan = () => {
    clearTimeout(timer);
    if (box.checked) timer = setTimeout(() => location.reload(), Number(refresh.dataset.refresh) * 1000);
  };
  box.addEventListener("change", () => {
    sessionStorage.setItem(key, box.checked ? "on" : "off");
    plan();
  });
  plan();
}
