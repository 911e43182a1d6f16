{{- define "robotgc.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{- define "robotgc.labels" -}}
app.kubernetes.io/name: robotgc
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "robotgc.selector" -}}
app.kubernetes.io/name: robotgc
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}
