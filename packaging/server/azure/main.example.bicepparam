using './main.bicep'

// Copy to main.bicepparam. The password comes from the environment, so that it is in no file:
//   export ALAI_DB_PASSWORD=$(openssl rand -hex 24)
param databasePassword = readEnvironmentVariable('ALAI_DB_PASSWORD')

param image = 'alai.azurecr.io/alai-server@sha256:0000000000000000000000000000000000000000000000000000000000000000'
param registryServer = 'alai.azurecr.io'

param authIssuer = 'https://login.microsoftonline.com/00000000-0000-0000-0000-000000000000/v2.0'
param authAudience = 'api://alai'

// 1 is always warm, 0 sleeps after five quiet minutes.
param minReplicas = 1
param backupRetentionDays = 14
