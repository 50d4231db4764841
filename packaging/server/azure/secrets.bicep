// The app's identity, and the vault it reads DATABASE_URL from. Nobody else is given a way in.

param location string
param name string
param suffix string
param databaseHost string
param databaseName string
param databaseUser string
@secure()
param databasePassword string

// Built in: Key Vault Secrets User, which reads and changes nothing.
var secretsUser = '4633458b-17de-408a-b874-0445c86b69e6'

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' = {
  name: '${name}-server'
  location: location
}

resource vault 'Microsoft.KeyVault/vaults@2024-11-01' = {
  // At most 24 characters, and unique in the world.
  name: take('${name}${suffix}', 24)
  location: location
  properties: {
    tenantId: subscription().tenantId
    sku: {
      family: 'A'
      name: 'standard'
    }
    enableRbacAuthorization: true
    enableSoftDelete: true
    softDeleteRetentionInDays: 7
  }

  resource databaseUrl 'secrets' = {
    name: 'database-url'
    properties: {
      contentType: 'postgres URL'
      value: 'postgres://${databaseUser}:${uriComponent(databasePassword)}@${databaseHost}:5432/${databaseName}?sslmode=verify-full'
    }
  }
}

resource read 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(vault.id, identity.id, secretsUser)
  scope: vault
  properties: {
    principalId: identity.properties.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', secretsUser)
  }
}

// By way of the role: the app is made when it may read.
output identityId string = empty(read.id) ? '' : identity.id
// Without a version: the app takes a changed secret by itself, within half an hour, or at once with a new revision.
output databaseUrlSecret string = vault::databaseUrl.properties.secretUri
