// image-copy copies an image under a signature policy, by the library that skopeo, podman and rpm-ostree's image proxy share
// (containers/image). It takes the flags of `skopeo copy` that zerotoil uses, and makes keys like `skopeo generate-sigstore-key`:
// Debian's own skopeo has sigstore taken out.
package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"

	"github.com/containers/image/v5/copy"
	"github.com/containers/image/v5/signature"
	"github.com/containers/image/v5/signature/sigstore"
	"github.com/containers/image/v5/transports/alltransports"
	"github.com/containers/image/v5/types"
)

const deadline = 2 * time.Minute

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "image-copy:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, arguments []string) error {
	all := flag.NewFlagSet("image-copy", flag.ContinueOnError)
	policy := all.String("policy", "", "trust policy file")
	registries := all.String("registries.d", "", "folder of registry configuration files")
	if err := all.Parse(arguments); err != nil {
		return err
	}
	switch all.Arg(0) {
	case "copy":
		return copyImage(ctx, *policy, *registries, all.Args()[1:])
	case "generate-sigstore-key":
		return generate(all.Args()[1:])
	}
	return fmt.Errorf("copy or generate-sigstore-key, not %q", all.Arg(0))
}

func copyImage(ctx context.Context, policyFile, registries string, arguments []string) error {
	flags := flag.NewFlagSet("copy", flag.ContinueOnError)
	authfile := flags.String("authfile", "", "credentials of registries")
	sourceCerts := flags.String("src-cert-dir", "", "certificates for the source's registry")
	destinationCerts := flags.String("dest-cert-dir", "", "certificates for the destination's registry")
	key := flags.String("sign-by-sigstore-private-key", "", "sign with this key")
	passphraseFile := flags.String("sign-passphrase-file", "", "the key's passphrase")
	preserve := flags.Bool("preserve-digests", false, "fail rather than change the manifest")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	source, err := alltransports.ParseImageName(flags.Arg(0))
	if err != nil {
		return err
	}
	destination, err := alltransports.ParseImageName(flags.Arg(1))
	if err != nil {
		return err
	}
	read := signature.DefaultPolicy
	if policyFile != "" {
		read = func(*types.SystemContext) (*signature.Policy, error) { return signature.NewPolicyFromFile(policyFile) }
	}
	policy, err := read(nil)
	if err != nil {
		return err
	}
	trust, err := signature.NewPolicyContext(policy)
	if err != nil {
		return err
	}
	defer trust.Destroy()
	options := &copy.Options{
		SourceCtx:        system(registries, *authfile, *sourceCerts),
		DestinationCtx:   system(registries, *authfile, *destinationCerts),
		PreserveDigests:  *preserve,
		RemoveSignatures: destination.Transport().Name() == "dir" && *key == "",
	}
	if *key != "" {
		passphrase, err := os.ReadFile(*passphraseFile)
		if err != nil {
			return err
		}
		options.SignBySigstorePrivateKeyFile = *key
		options.SignSigstorePrivateKeyPassphrase = bytes.TrimRight(passphrase, "\n")
	}
	_, err = copy.Image(ctx, trust, destination, source, options)
	return err
}

func system(registries, authfile, certificates string) *types.SystemContext {
	return &types.SystemContext{RegistriesDirPath: registries, AuthFilePath: authfile, DockerCertPath: certificates}
}

func generate(arguments []string) error {
	flags := flag.NewFlagSet("generate-sigstore-key", flag.ContinueOnError)
	prefix := flags.String("output-prefix", "", "PREFIX.pub and PREFIX.private are written")
	passphraseFile := flags.String("passphrase-file", "", "the key's passphrase")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	passphrase, err := os.ReadFile(*passphraseFile)
	if err != nil {
		return err
	}
	keys, err := sigstore.GenerateKeyPair(bytes.TrimRight(passphrase, "\n"))
	if err != nil {
		return err
	}
	if err := os.WriteFile(*prefix+".private", keys.PrivateKey, 0o600); err != nil {
		return err
	}
	return os.WriteFile(*prefix+".pub", keys.PublicKey, 0o644)
}
