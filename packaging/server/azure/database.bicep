// Postgres Flexible Server, the smallest there is: one core that may be used in bursts, 2 GiB, 35 connections for us.

param location string
param name string
@secure()
param password string
param backupRetentionDays int
param geoRedundantBackup string
@description('Empty: a public address, behind a firewall.')
param subnetId string
param zoneId string
param allowedAddresses array
param lock bool

var user = 'alai'
var isPrivate = !empty(subnetId)

resource server 'Microsoft.DBforPostgreSQL/flexibleServers@2025-08-01' = {
  name: name
  location: location
  sku: {
    name: 'Standard_B1ms'
    tier: 'Burstable'
  }
  properties: {
    version: '18'
    administratorLogin: user
    administratorLoginPassword: password
    authConfig: {
      activeDirectoryAuth: 'Disabled'
      passwordAuth: 'Enabled'
    }
    storage: {
      storageSizeGB: 32
      // A full disk makes the ledger read-only.
      autoGrow: 'Enabled'
    }
    backup: {
      backupRetentionDays: backupRetentionDays
      geoRedundantBackup: geoRedundantBackup
    }
    // Burstable has none.
    highAvailability: {
      mode: 'Disabled'
    }
    network: isPrivate
      ? {
          delegatedSubnetResourceId: subnetId
          privateDnsZoneArmResourceId: zoneId
          publicNetworkAccess: 'Disabled'
        }
      : {
          publicNetworkAccess: 'Enabled'
        }
    // Sunday 03:00 UTC: patches restart the server for a minute.
    maintenanceWindow: {
      customWindow: 'Enabled'
      dayOfWeek: 0
      startHour: 3
      startMinute: 0
    }
  }

  resource ledger 'databases' = {
    name: 'alai'
    properties: {
      charset: 'UTF8'
      collation: 'en_US.utf8'
    }
  }

  // What this address stands for is every service of Azure, also of other customers.
  resource azure 'firewallRules' = if (!isPrivate) {
    name: 'azure'
    properties: {
      startIpAddress: '0.0.0.0'
      endIpAddress: '0.0.0.0'
    }
  }

  resource people 'firewallRules' = [
    for (address, i) in (isPrivate ? [] : allowedAddresses): {
      name: 'address-${i}'
      properties: {
        startIpAddress: address
        endIpAddress: address
      }
    }
  ]
}

resource keep 'Microsoft.Authorization/locks@2020-05-01' = if (lock) {
  name: '${name}-keep'
  scope: server
  properties: {
    level: 'CanNotDelete'
    notes: 'The ledger. Backups go with the server.'
  }
}

output host string = server.properties.fullyQualifiedDomainName
output databaseName string = server::ledger.name
output user string = user
