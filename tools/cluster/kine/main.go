// kine's own etcd server on its SQLite driver, as k3s runs it for one server, at a unix socket.
//
// kine's own main links the drivers of all databases it knows: pebble, NATS, an S3 client and more. This one has one.
package main

import (
	"context"
	"math"
	"net"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/k3s-io/kine/pkg/drivers"
	"github.com/k3s-io/kine/pkg/drivers/generic"
	"github.com/k3s-io/kine/pkg/drivers/sqlite"
	"github.com/k3s-io/kine/pkg/server"
	"github.com/sirupsen/logrus"
	"google.golang.org/grpc"
	"google.golang.org/grpc/keepalive"
)

// What kine's command line and etcd's server have as their defaults.
const (
	etcdVersion = "3.6.11"
	notify      = 5 * time.Second
	maxReceived = 2 << 20
)

var database = drivers.Config{
	CompactTimeout:   5 * time.Second,
	CompactMinRetain: 1000,
	CompactBatchSize: 1000,
	PollBatchSize:    500,
	ConnectionPoolConfig: generic.ConnectionPoolConfig{
		MaxIdle:     20,
		MaxIdleTime: 2 * time.Minute,
	},
}

func main() {
	if len(os.Args) != 3 {
		logrus.Fatal("usage: kine SOCKET DATABASE")
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := serve(ctx, os.Args[1], os.Args[2]); err != nil {
		logrus.Fatal(err)
	}
}

func serve(ctx context.Context, socket, path string) error {
	backing, give := context.WithCancel(context.Background())
	var written sync.WaitGroup
	defer written.Wait()
	defer give()
	database.DataSourceName = path + "?" + sqlite.DefaultParams
	_, backend, err := sqlite.New(backing, &written, &database)
	if err != nil {
		return err
	}
	if err := backend.Start(backing); err != nil {
		return err
	}
	listener, err := net.Listen("unix", socket)
	if err != nil {
		return err
	}
	etcd := grpc.NewServer(
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 5 * time.Second}),
		grpc.MaxRecvMsgSize(maxReceived),
		grpc.MaxSendMsgSize(math.MaxInt32),
	)
	server.New(backend, "unix", notify, etcdVersion).Register(etcd)
	go func() {
		<-ctx.Done()
		etcd.Stop()
	}()
	return etcd.Serve(listener)
}
