//! Finds, follows and deletes the pods of drivers through the API server of a Kubernetes cluster.

#![warn(missing_docs)]
