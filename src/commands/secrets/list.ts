import { defineCommand } from "../../kit/command.ts";
import { printRows } from "../../kit/output.ts";
import { type Listed, listItems } from "../../secrets/list.ts";
import { PROFILE_FLAG } from "../auth/flags.ts";

export const command = defineCommand({
  summary: "names of what is in the vault",
  description:
    "Never a value. Lines (not on a terminal): name, folder, type, reference. Exit 3: there is no such folder.",
  examples: [
    ["alai secrets list", "everything"],
    ["alai secrets list --folder Work git", "in one folder, with git in the name"],
  ],
  args: [{ name: "text", summary: "only names with this in them", optional: true }],
  flags: {
    folder: { value: "NAME", summary: "only in this folder" },
    ...PROFILE_FLAG,
  },
  fields: {
    id: "the item's id",
    name: "its name",
    folder: "the folder's name, or null",
    type: "login, note, card, identity or ssh-key",
    reference: "the shortest reference that means this item and no other",
  },
  async run(context, { args: [text], flags }) {
    const [{ chosenProfile }, { openVault }] = await Promise.all([
      import("../../auth/profiles.ts"),
      import("../../secrets/open-vault.ts"),
    ]);
    const vault = await openVault(context, chosenProfile(context, flags.profile).name);
    const items = await listItems(vault, flags.folder, text).finally(() => vault.close());
    await printRows<Listed>(context, items, {
      columns: [
        { header: "NAME", value: ({ name }) => name, flexible: true },
        { header: "FOLDER", value: ({ folder }) => folder ?? "", optional: true },
        { header: "TYPE", value: ({ type }) => type },
        { header: "REFERENCE", value: ({ reference }) => reference, expendable: 1 },
      ],
      json: (item) => ({ ...item }),
      empty: "Nothing in the vault fits.",
    });
  },
});
