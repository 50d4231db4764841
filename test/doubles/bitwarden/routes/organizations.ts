import type { Account } from "../accounts.ts";
import type { Membership, Organization, Send } from "../organizations.ts";

const MAY_NOT = [
  ...["accessEventLogs", "accessImportExport", "accessReports", "createNewCollections", "deleteAnyCollection"],
  ...["editAnyCollection", "manageGroups", "managePolicies", "manageSso", "manageUsers", "manageResetPassword"],
];

/** An organization in the profile of one of its members: a plain user (type 2), confirmed (status 2). */
export function organizationBody({ userId }: Account, { id, organization, key }: Membership) {
  return {
    ...{ id: organization.id, name: organization.name, key, userId, organizationUserId: id },
    ...{ status: 2, type: 2, enabled: true, productTierType: 1, hasPublicAndPrivateKeys: true, usersGetPremium: false },
    ...{ usePasswordManager: true, useTotp: true, use2fa: true, useApi: true, useGroups: false, usePolicies: false },
    ...{ seats: 5, maxCollections: null, maxStorageGb: 1, selfHost: true, identifier: null, ssoBound: false },
    ...{ resetPasswordEnrolled: false, providerId: null, providerName: null, limitItemDeletion: true },
    permissions: Object.fromEntries(MAY_NOT.map((what) => [what, false])),
    object: "profileOrganization",
  };
}

/** The collections that a member sees. */
export function collectionBody({ id, collections }: Organization) {
  return collections.map((collection) => ({
    ...{ ...collection, organizationId: id, externalId: null, type: 0 },
    ...{ readOnly: true, manage: false, hidePasswords: false, object: "collectionDetails" },
  }));
}

const MONTH = 30 * 86_400_000;

/** A Send as its owner sees it. */
export function sendBody({ id, accessId, name, text, key, created }: Send) {
  return {
    ...{ id, accessId, name, key, type: 0, notes: null, file: null, text: { text, hidden: false } },
    ...{ maxAccessCount: null, accessCount: 0, password: null, emails: null, disabled: false, hideEmail: false },
    ...{ revisionDate: created, expirationDate: null, object: "send" },
    deletionDate: new Date(Date.parse(created) + MONTH).toISOString(),
  };
}
