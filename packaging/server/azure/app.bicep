// The app: 0.25 vCPU and 0.5 GiB a replica, HTTPS only.

param location string
param name string
param image string
param registryServer string
param identityId string
param databaseUrlSecret string
@description('Empty: in the network of Container Apps.')
param subnetId string
param authIssuer string
param authAudience string
param settings array
param minReplicas int
param maxReplicas int
param databaseConnections int

var port = 8787

// Container Apps' own proxies speak to us from here; what they say about the caller's address is believed.
var proxies = empty(subnetId) ? '100.64.0.0/10' : '100.64.0.0/10,10.87.0.0/26'

resource logs 'Microsoft.OperationalInsights/workspaces@2025-02-01' = {
  name: '${name}-logs'
  location: location
  properties: {
    sku: {
      name: 'PerGB2018'
    }
    retentionInDays: 30
    // A flood of log lines costs a known sum at most.
    workspaceCapping: {
      dailyQuotaGb: 1
    }
  }
}

resource environment 'Microsoft.App/managedEnvironments@2025-01-01' = {
  name: '${name}-environment'
  location: location
  properties: {
    appLogsConfiguration: {
      destination: 'log-analytics'
      logAnalyticsConfiguration: {
        customerId: logs.properties.customerId
        sharedKey: logs.listKeys().primarySharedKey
      }
    }
    workloadProfiles: [
      {
        name: 'Consumption'
        workloadProfileType: 'Consumption'
      }
    ]
    vnetConfiguration: empty(subnetId)
      ? null
      : {
          infrastructureSubnetId: subnetId
          internal: false
        }
    zoneRedundant: false
  }
}

resource app 'Microsoft.App/containerApps@2025-01-01' = {
  name: '${name}-server'
  location: location
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identityId}': {}
    }
  }
  properties: {
    environmentId: environment.id
    workloadProfileName: 'Consumption'
    configuration: {
      // The old revision goes when the new one is ready.
      activeRevisionsMode: 'Single'
      maxInactiveRevisions: 5
      ingress: {
        external: true
        // Plain HTTP is sent on to HTTPS; nothing of ours answers it.
        allowInsecure: false
        targetPort: port
        // Streams and long polls are plain HTTP/1.1. The ingress cuts what is silent for 240 s: ours send a sign of life
        // every 15 s.
        transport: 'auto'
        traffic: [
          {
            latestRevision: true
            weight: 100
          }
        ]
      }
      secrets: [
        {
          name: 'database-url'
          keyVaultUrl: databaseUrlSecret
          identity: identityId
        }
      ]
      registries: empty(registryServer)
        ? []
        : [
            {
              server: registryServer
              identity: identityId
            }
          ]
    }
    template: {
      // SIGTERM, then 30 s. The server needs 10 s at most: it finishes what runs and sends streams elsewhere.
      terminationGracePeriodSeconds: 30
      containers: [
        {
          name: 'server'
          image: image
          resources: {
            cpu: json('0.25')
            memory: '0.5Gi'
          }
          env: concat(
            [
              {
                name: 'DATABASE_URL'
                secretRef: 'database-url'
              }
              {
                name: 'ALAI_TRUST_PROXY'
                value: proxies
              }
              {
                // All replicas of two revisions at once must fit what the database allows.
                name: 'ALAI_DATABASE_CONNECTIONS'
                value: string(databaseConnections)
              }
              {
                // Starts although there is no token yet, and lets nobody in until there is one.
                name: 'ALAI_AUTH_REQUIRED'
                value: '1'
              }
            ],
            empty(authIssuer)
              ? []
              : [
                  {
                    name: 'ALAI_AUTH_ISSUER'
                    value: authIssuer
                  }
                  {
                    name: 'ALAI_AUTH_AUDIENCE'
                    value: authAudience
                  }
                ],
            settings
          )
          probes: [
            {
              // The others begin when this one has succeeded. 50 s: a migration of the schema is part of the start.
              type: 'Startup'
              httpGet: {
                path: '/healthz'
                port: port
              }
              initialDelaySeconds: 1
              periodSeconds: 5
              timeoutSeconds: 3
              failureThreshold: 10
            }
            {
              // The process only. The database being away is no reason to restart.
              type: 'Liveness'
              httpGet: {
                path: '/healthz'
                port: port
              }
              periodSeconds: 10
              timeoutSeconds: 5
              failureThreshold: 3
            }
            {
              type: 'Readiness'
              httpGet: {
                path: '/readyz'
                port: port
              }
              periodSeconds: 5
              timeoutSeconds: 4
              failureThreshold: 2
              successThreshold: 1
            }
          ]
        }
      ]
      scale: {
        minReplicas: minReplicas
        maxReplicas: maxReplicas
        // Seconds without a request until it sleeps.
        cooldownPeriod: 300
        rules: [
          {
            name: 'requests'
            http: {
              metadata: {
                // Open streams and long polls count too.
                concurrentRequests: '100'
              }
            }
          }
        ]
      }
    }
  }
}

output url string = 'https://${app.properties.configuration.ingress.fqdn}'
