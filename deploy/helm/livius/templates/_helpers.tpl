{{- define "livius.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* The name of most objects. 52 characters leave room for suffixes and for the name of the pod. */}}
{{- define "livius.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" }}
{{- else if contains (include "livius.name" .) .Release.Name }}
{{- .Release.Name | trunc 52 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "livius.name" .) | trunc 52 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "livius.selectorLabels" -}}
app.kubernetes.io/name: {{ include "livius.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "livius.labels" -}}
{{ include "livius.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "livius.serviceAccount" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "livius.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- required "set serviceAccount.name if serviceAccount.create is false" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{/* The namespaces of drivers, as JSON. */}}
{{- define "livius.namespaces" -}}
{{- $names := .Values.drivers.namespaces | default (list .Release.Namespace) | uniq }}
{{- toJson (dict "names" $names) }}
{{- end }}

{{/* The claim of the server's data. */}}
{{- define "livius.claim" -}}
{{- default (printf "%s-data" (include "livius.fullname" .)) .Values.persistence.existingClaim }}
{{- end }}

{{/* The names of the Service, with and without its namespace, as JSON. */}}
{{- define "livius.hostNames" -}}
{{- $name := include "livius.fullname" . }}
{{- $in := printf "%s.%s" $name .Release.Namespace }}
{{- $names := list $name $in (printf "%s.svc" $in) (printf "%s.svc.cluster.local" $in) }}
{{- if .Values.ingress.enabled }}
{{- $names = append $names .Values.ingress.host }}
{{- end }}
{{- toJson (dict "names" (concat $names .Values.hostNames | uniq)) }}
{{- end }}

{{/* The settings that follow from the other values, as JSON. */}}
{{- define "livius.settings" -}}
{{- if not .Values.acceptNoAuthentication }}
{{- fail "the server does not authenticate its clients: everyone who reaches it can run code with the rights of the drivers. Set acceptNoAuthentication=true if something else keeps strangers out, such as the chart's network policy" }}
{{- end }}
{{- $namespaces := (include "livius.namespaces" . | fromJson).names }}
{{- if and (eq .Values.spark.deployMode "client") (ne (toJson $namespaces) (toJson (list .Release.Namespace))) }}
{{- fail "in client mode executors belong to the server's pod, so they have to be in its namespace: leave drivers.namespaces empty" }}
{{- end }}
{{- $address := printf "%s.%s.svc:%v" (include "livius.fullname" .) .Release.Namespace .Values.service.port }}
{{- $conf := dict
  "spark.kubernetes.namespace" (first $namespaces)
  "spark.kubernetes.container.image" .Values.spark.image
  "spark.kubernetes.authenticate.driver.serviceAccountName" .Values.drivers.serviceAccount.name }}
{{- $own := dict
  "server" (dict
    "listen" "0.0.0.0:8998"
    "allow_public_without_authentication" true
    "agent_url" (printf "ws://%s" $address)
    "host_names" (include "livius.hostNames" . | fromJson).names
    "shutdown_timeout" (printf "%vs" .Values.shutdownSeconds))
  "sessions" (dict "on_shutdown" "keep")
  "batches" (dict "on_shutdown" "keep")
  "spark" (dict
    "master" .Values.spark.master
    "deploy_mode" .Values.spark.deployMode
    "conf" (merge (deepCopy .Values.spark.conf) $conf))
  "kubernetes" (dict "namespaces" $namespaces) }}
{{- if .Values.drivers.sparkUi.template }}
{{- $_ := set $own.kubernetes "ingress" "/etc/livius/spark-ui.yaml" }}
{{- end }}
{{- toJson (mergeOverwrite $own (deepCopy .Values.config)) }}
{{- end }}

{{/*
One table of a TOML file, with the tables in it. JSON's texts, numbers, switches and lists are TOML's,
too. Takes `path`, the table's name in the file, and `table`.
*/}}
{{- define "livius.toml" -}}
{{- $path := .path }}
{{- $table := .table }}
{{- range $key, $value := $table }}
{{- if not (kindIs "map" $value) }}
{{ toRawJson $key }} = {{ toRawJson $value }}
{{- end }}
{{- end }}
{{- range $key, $value := $table }}
{{- if kindIs "map" $value }}
{{- $name := toRawJson $key }}
{{- if $path }}
{{- $name = printf "%s.%s" $path $name }}
{{- end }}
{{ printf "\n[%s]" $name }}
{{- include "livius.toml" (dict "path" $name "table" $value) }}
{{- end }}
{{- end }}
{{- end }}
