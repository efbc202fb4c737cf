"""Asks every call of the served OpenAPI document what its author did not think of: no answer may be a fault of ours, and
each must be one that the document describes (IJ-14). As nobody, as a person, by an API key, as a service account, as an
administrator and as the session adapter, on SQLite and on PostgreSQL.

    run.py PROGRAM            (./test calls it)

SCHEMATHESIS_SEED repeats a run, BONAFIDE_TEST_POSTGRES names the server that gets a database for it.
"""

import base64
import json
import os
import pathlib
import random
import re
import secrets
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

# Seconds of one caller on one engine: twelve of them together stay below three minutes.
BUDGET = 14
SECRET = "an adapter's secret for schemathesis alone"
PASSWORD = "tidal lantern 88 moss"
# How many a first start makes: for each algorithm one in use and one that follows.
KEYS = 8
# What a key may do at the most; none of them lets its owner be removed.
PERMISSIONS = [
    "access:evaluate", "audit:read", "policies:read", "policies:write", "providers:read", "providers:write", "roles:read", "roles:write",
    "service-accounts:read", "service-accounts:write", "users:read", "users:write",
]
NOBODY = "0193e4b0-0000-7000-8000-000000000000"
# Left out: what a schema cannot say (that a name is taken, a password is common), and that a GET after a DELETE answers 404:
# the adapter's client wants null.
LEFT_OUT = "positive_data_acceptance,use_after_free,ensure_resource_availability"
# And of who asks by the ids of others: of what is another's they hear that there is nothing, by whatever method, declared or not.
# tests/it/openapi.rs asks every path by every method, with one's own id.
OF_OTHERS = f"{LEFT_OUT},unsupported_method"


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def open_url(url, data=None):
    body = None if data is None else json.dumps(data).encode()
    request = urllib.request.Request(url, data=body, headers={"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.read()


def status_of(url, headers):
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=10) as answer:
            return answer.status
    except urllib.error.HTTPError as refusal:
        return refusal.code


class Provider:
    """A provider with a database of its own, as long as the block lasts."""

    def __init__(self, program, engine, folder):
        self.program, self.engine, self.folder = program, engine, folder
        self.issuer = f"http://localhost:{free_port()}"
        self.management = f"http://localhost:{free_port()}"
        self.database = None

    def __enter__(self):
        url = f"sqlite://{self.folder}/bonafide.db"
        if self.engine == "PostgreSQL":
            server = urllib.parse.urlsplit(os.environ["BONAFIDE_TEST_POSTGRES"])
            self.database = f"schemathesis_{secrets.token_hex(4)}"
            self.sql(f"CREATE DATABASE {self.database}")
            url = server._replace(path=f"/{self.database}").geturl()
        self.environment = {
            "PATH": os.environ["PATH"],
            "BONAFIDE_ISSUER": self.issuer,
            "BONAFIDE_LISTEN": self.issuer.removeprefix("http://"),
            "BONAFIDE_MANAGEMENT__LISTEN": self.management.removeprefix("http://"),
            "BONAFIDE_DATABASE__URL": url,
            "BONAFIDE_KEYS__DIR": f"{self.folder}/keys",
            "BONAFIDE_STORAGE__URL": f"{self.folder}/pictures",
            "BONAFIDE_ADAPTER__SECRET": SECRET,
            # What throttles would answer is known; behind them is what we want to see.
            "BONAFIDE_LIMITS__ENABLED": "false",
            "BONAFIDE_PASSWORDS__MEMORY": "19456",
            "BONAFIDE_PASSWORDS__ITERATIONS": "1",
            "BONAFIDE_LOG__LEVEL": "warn",
        }
        self.log = open(f"{self.folder}/log", "w+")
        command = [self.program, "serve", "--dev"]
        self.process = subprocess.Popen(command, cwd=self.folder, env=self.environment, stdout=self.log, stderr=self.log)
        deadline = time.monotonic() + 90
        while True:
            try:
                # A first start makes keys in the background, which takes what the questions need.
                if len(json.loads(open_url(f"{self.issuer}/jwks"))["keys"]) >= KEYS:
                    return self
            except OSError:
                pass
            if time.monotonic() > deadline or self.process.poll() is not None:
                self.show_log()
                sys.exit(f"the provider did not start on {self.engine}")
            time.sleep(0.2)

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(timeout=30)
        self.log.close()
        if self.database:
            self.sql(f"DROP DATABASE {self.database} WITH (FORCE)")

    def sql(self, statement):
        server = os.environ["BONAFIDE_TEST_POSTGRES"]
        subprocess.run(["psql", "--quiet", "--no-psqlrc", server, "-c", statement], check=True)

    def show_log(self):
        self.log.seek(0)
        sys.stdout.write("".join(self.log.readlines()[-40:]))

    def person(self, name, *more):
        """Somebody new: their access token and their id."""
        email = f"{name}@example.org"
        command = [self.program, "user", "create", "--email", email, "--verified", "--password-stdin", *more]
        quiet = {"stdout": subprocess.DEVNULL, "text": True, "check": True}
        subprocess.run(command, cwd=self.folder, env=self.environment, input=PASSWORD, **quiet)
        signed_in = json.loads(open_url(f"{self.issuer}/auth/login", {"email": email, "password": PASSWORD}))
        return signed_in["accessToken"], signed_in["user"]["id"]


    def say(self, *arguments):
        """What a command answers."""
        quiet = {"stdout": subprocess.PIPE, "text": True, "check": True}
        return subprocess.run([self.program, *arguments], cwd=self.folder, env=self.environment, **quiet).stdout.strip()

    def key(self, who, *scopes):
        """A person's API key."""
        named = [argument for scope in scopes for argument in ("--scope", scope)]
        return self.say("api-key", "create", "--user", f"{who}@example.org", "--name", "asks", *named, "--quiet")

    def service(self, name, role):
        """A service account: what it shows as HTTP Basic, and its id."""
        secret = self.say("client", "create", "--id", name, "--name", name, "--grant", "client_credentials", "--quiet")
        self.say("role", "assign", role, name, "--client")
        return base64.b64encode(f"{name}:{secret}".encode()).decode(), name


def ask(provider, caller, headers, ids, seed, alive_at=("/auth/me", 200), left_out=LEFT_OUT, spared=None):
    print(f"\n-- {provider.engine}, {caller}, seed {seed}", flush=True)
    # Ids that lead to somebody, beside those that it makes up.
    config = pathlib.Path(provider.folder, "schemathesis.toml")
    config.write_text(f"[parameters]\n\"path.id\" = {json.dumps(ids)}\n" if ids else "")
    program = pathlib.Path(sys.executable).with_name("schemathesis")
    # What its generator is made of is computed once and kept.
    environment = os.environ | {"HYPOTHESIS_STORAGE_DIRECTORY": str(program.parent.parent / "hypothesis")}
    # On a machine that has more to do, the time may not have done for every call.
    for budget in [BUDGET, 3 * BUDGET]:
        command = [program, "--config-file", config, "run", f"{provider.issuer}/openapi.json"]
        command += ["--checks", "all", "--exclude-checks", left_out, "--max-time", str(budget), "--seed", str(seed)]
        command += ["--workers", "1", "--no-shrink", "--warnings", "off", "--no-color"]
        if spared:
            command += ["--exclude-name", spared]
        for name, value in headers.items():
            command += ["--header", f"{name}:{value}"]
        quiet = {"capture_output": True, "text": True, "timeout": budget + 90}
        asked = subprocess.run(command, cwd=provider.folder, env=environment, **quiet)
        counted = re.search(r"Selected: (\d+)/\d+\n\s+Tested: (\d+)", asked.stdout)
        whole = counted is not None and counted[1] == counted[2]
        if whole:
            break
    # A caller who was locked out on the way has asked nothing.
    path, wanted = alive_at
    alive = "Authorization" not in headers or status_of(provider.issuer + path, headers) == wanted
    if asked.returncode == 0 and whole and alive:
        cases = re.search(r"\d+ generated.*", asked.stdout)
        print(f"{counted[2]} operations, {cases[0] if cases else 'no cases'}")
        return True
    print(asked.stdout, asked.stderr, sep="\n")
    if not whole:
        print("not every operation was asked")
    if not alive:
        print("the caller's token died on the way")
    provider.show_log()
    return False


def main():
    program = os.path.abspath(sys.argv[1])
    seed = int(os.environ.get("SCHEMATHESIS_SEED") or random.randrange(1 << 32))
    well = True
    for engine in ["SQLite", "PostgreSQL"]:
        with tempfile.TemporaryDirectory(prefix="bonafide-schemathesis.") as folder:
            with Provider(program, engine, folder) as provider:
                ada, own = provider.person("ada")
                boss, _ = provider.person("boss", "--role", "admin")
                key = provider.key("boss", "account", *PERMISSIONS)
                provider.say("role", "create", "pep", "--permission", "access:evaluate", "--permission", "policies:read")
                pep, service = provider.service("pep", "pep")
                of_others = ("/auth/me", 200), OF_OTHERS
                for caller, headers, ids, *more in [
                    ("nobody", {}, []),
                    # Whoever has their own account deleted asks nothing more.
                    ("a person", {"Authorization": f"Bearer {ada}"}, [own, NOBODY], *of_others, "DELETE /auth/{id}"),
                    # Its secret is good where decisions are asked for, and nowhere else.
                    ("a service account", {"Authorization": f"Basic {pep}"}, [], ("/access/v1/evaluation", 405)),
                    ("an API key", {"Authorization": f"Bearer {key}"}, [own, NOBODY], *of_others),
                    ("an administrator", {"Authorization": f"Bearer {boss}"}, [own, NOBODY, service], *of_others),
                    # The last one: it may remove everybody.
                    ("the session adapter", {"x-auth-secret": SECRET}, []),
                ]:
                    well = ask(provider, caller, headers, ids, seed, *more) and well
    if not well:
        sys.exit(f"schemathesis found something; SCHEMATHESIS_SEED={seed} asks the same again")


main()
