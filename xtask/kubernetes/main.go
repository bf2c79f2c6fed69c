// A Kubernetes without nodes, for tests: the API server, the controllers, and the etcd that the API
// server stores its objects in. Registries have no such binary to download, so it is compiled from
// the Go modules of Kubernetes.
package main

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"go.etcd.io/etcd/server/v3/embed"
	"k8s.io/component-base/cli"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllers "k8s.io/kubernetes/cmd/kube-controller-manager/app"
)

const usage = `usage: %[1]s apiserver ETCD_DIR ETCD_PORT [FLAGS of kube-apiserver]
       %[1]s controllers [FLAGS of kube-controller-manager]
`

// The time in which etcd must be able to answer.
const patience = time.Minute

func main() {
	program, words := os.Args[0], os.Args[1:]
	switch {
	case len(words) >= 3 && words[0] == "apiserver":
		if err := startEtcd(words[1], words[2]); err != nil {
			fmt.Fprintf(os.Stderr, "%s: etcd: %v\n", program, err)
			os.Exit(1)
		}
		os.Args = append([]string{program}, words[3:]...)
		os.Exit(cli.Run(apiserver.NewAPIServerCommand()))
	case len(words) >= 1 && words[0] == "controllers":
		os.Args = append([]string{program}, words[1:]...)
		os.Exit(cli.Run(controllers.NewControllerManagerCommand()))
	default:
		fmt.Fprintf(os.Stderr, usage, filepath.Base(program))
		os.Exit(2)
	}
}

// startEtcd runs a store of one member in this process, until the process ends.
func startEtcd(directory, port string) error {
	config := embed.NewConfig()
	config.Dir = directory
	config.LogLevel = "error"
	// The data must survive the process, and not the machine.
	config.UnsafeNoFsync = true
	clients := []url.URL{{Scheme: "http", Host: "127.0.0.1:" + port}}
	// There are no other members: any free port does.
	peers := []url.URL{{Scheme: "http", Host: "127.0.0.1:0"}}
	config.ListenClientUrls, config.AdvertiseClientUrls = clients, clients
	config.ListenPeerUrls, config.AdvertisePeerUrls = peers, peers
	config.InitialCluster = config.InitialClusterFromName(config.Name)
	etcd, err := embed.StartEtcd(config)
	if err != nil {
		return err
	}
	select {
	case <-etcd.Server.ReadyNotify():
		return nil
	case err := <-etcd.Err():
		return err
	case <-time.After(patience):
		return errors.New("not ready in " + patience.String())
	}
}
