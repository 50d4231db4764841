// The companion server on Azure: Container Apps in front of Postgres Flexible Server B1ms.
//
//   az group create --name alai --location swedencentral
//   az deployment group create --resource-group alai --parameters main.bicepparam
//
// Who deploys needs Owner of the resource group, or Contributor and User Access Administrator: it grants one role.
// What it costs and how to choose: docs/server.md.

targetScope = 'resourceGroup'

@description('Region of everything.')
param location string = 'swedencentral'

@description('First part of every name.')
@minLength(3)
@maxLength(11)
param name string = 'alai'

@description('The image, with tag or, better, digest: registry.example/alai-server@sha256:…')
param image string

@description('Registry that the app signs in to with its identity, for example alai.azurecr.io; empty for a public image. Grant the identity AcrPull there first.')
param registryServer string = ''

@description('Password of the database\'s administrator, of letters and digits: openssl rand -hex 24')
@secure()
@minLength(32)
param databasePassword string

@description('Who may: the issuer of tokens, and what it puts into aud. Further ALAI_AUTH_* settings go into `settings` (docs/security.md).')
param authIssuer string = ''
param authAudience string = ''

@description('Further settings of the server, as name and value. No secrets: they can be read in the portal.')
param settings array = []

// One warm replica, or none when nobody asks:
//   1  answers at once, always. The default.
//   0  costs less, and whoever comes first after 5 quiet minutes waits: 37 s (median of five starts, measured elsewhere).
//      On a terminal `alai` says "waking the server…" and waits up to 60 s. Hooks and scripts wait 10 s, unless --timeout or
//      ALAI_MC_TIMEOUT says otherwise, and then end with 69.
//      A stream that stays open (alai mc mirror, a dashboard) keeps the replica, and then 0 saves nothing.
@description('Replicas when nobody asks: 1 is always warm, 0 sleeps.')
@minValue(0)
@maxValue(1)
param minReplicas int = 1

// B1ms gives 35 connections. A replica takes 8 at most (a pool of 7, and one that listens), opened when they are needed. Two
// take 16. While a new revision replaces the old one there are four, which take 32, and 3 are left for a backup and for people.
// Three replicas would not fit such a moment: for those, a larger database, or a smaller pool.
@description('Replicas under load.')
@minValue(1)
@maxValue(2)
param maxReplicas int = 2

@description('Connections of one replica to the database, beside the one that listens.')
@minValue(3)
param databaseConnections int = 7

@description('Days that the database can be restored to any moment of.')
@minValue(7)
@maxValue(35)
param backupRetentionDays int = 14

// Off: it can only be chosen when the server is made, it doubles what backups cost, and the region it would copy to (Sweden
// South) is open to few customers. Against the loss of a region: `alai mc export --sqlite`, kept elsewhere (docs/server.md).
@description('Backups also in the paired region.')
@allowed(['Disabled', 'Enabled'])
param geoRedundantBackup string = 'Disabled'

// On: the database has no public address. It cannot be changed later without a move to a new database, and it costs a load
// balancer and an address (docs/server.md). Off: reachable for every Azure customer who has the password, by TLS only.
@description('Database and app in a network of their own.')
param privateNetwork bool = true

@description('Addresses that may reach the database when privateNetwork is off, for pg_dump and psql: IPv4, one each.')
param allowedAddresses array = []

@description('Keeps the database from being deleted by mistake.')
param lockDatabase bool = true

var suffix = uniqueString(resourceGroup().id)

module network 'network.bicep' = if (privateNetwork) {
  name: 'network'
  params: {
    location: location
    name: name
  }
}

module database 'database.bicep' = {
  name: 'database'
  params: {
    location: location
    name: '${name}-${suffix}'
    password: databasePassword
    backupRetentionDays: backupRetentionDays
    geoRedundantBackup: geoRedundantBackup
    subnetId: privateNetwork ? network!.outputs.databaseSubnetId : ''
    zoneId: privateNetwork ? network!.outputs.zoneId : ''
    allowedAddresses: allowedAddresses
    lock: lockDatabase
  }
}

module secrets 'secrets.bicep' = {
  name: 'secrets'
  params: {
    location: location
    name: name
    suffix: suffix
    databaseHost: database.outputs.host
    databaseName: database.outputs.databaseName
    databaseUser: database.outputs.user
    databasePassword: databasePassword
  }
}

module app 'app.bicep' = {
  name: 'app'
  params: {
    location: location
    name: name
    image: image
    registryServer: registryServer
    identityId: secrets.outputs.identityId
    databaseUrlSecret: secrets.outputs.databaseUrlSecret
    subnetId: privateNetwork ? network!.outputs.appSubnetId : ''
    authIssuer: authIssuer
    authAudience: authAudience
    settings: settings
    minReplicas: minReplicas
    maxReplicas: maxReplicas
    databaseConnections: databaseConnections
  }
}

@description('What ALAI_MC_URL is set to.')
output url string = app.outputs.url
output databaseHost string = database.outputs.host
