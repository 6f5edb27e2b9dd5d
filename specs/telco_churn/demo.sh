#!/bin/sh
# From a csv to a prediction over HTTP. `make demo` runs it with mlspec on the PATH.
set -eu
cd "$(dirname "$0")"

say() { printf '\n$ %s\n' "$*"; "$@"; }

say mlspec plan
say mlspec apply
say mlspec show churn
address=$(mlspec show churn_api --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["answers"])')
row='{"gender": "Female", "SeniorCitizen": 0, "Partner": "Yes", "Dependents": "No", "tenure": 1,
  "PhoneService": "No", "MultipleLines": "No phone service", "InternetService": "DSL", "OnlineSecurity": "No",
  "OnlineBackup": "Yes", "DeviceProtection": "No", "TechSupport": "No", "StreamingTV": "No", "StreamingMovies": "No",
  "Contract": "Month-to-month", "PaperlessBilling": "Yes", "PaymentMethod": "Electronic check",
  "MonthlyCharges": 29.85, "TotalCharges": 29.85}'
say curl --silent --show-error --fail --json "$row" "$address"
printf '\n\nThe service goes on: open %s in a browser; mlspec stop churn_api ends it (in %s).\n' "${address%/predict}" "$(pwd)"
