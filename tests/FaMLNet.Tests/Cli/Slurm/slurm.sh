#!/bin/bash
# A Slurm of one machine for the tests: 'slurm.sh start <folder>' and 'slurm.sh stop <folder>'. Everything is in the folder; what was started is stopped by its
# process id. Needs root, slurm-wlm and munge.
set -euo pipefail
folder=$2
case $1 in
start)
    host=$(hostname -s)
    mkdir -p "$folder"/{munge,state,spool,log}
    # munged runs as a user of its own, who must be able to reach its files.
    chmod 711 "$(dirname "$folder")"
    chmod 755 "$folder"
    # A key and a socket of our own: another munged on the machine is not touched.
    head -c 1024 /dev/urandom > "$folder/munge/munge.key"
    chmod 700 "$folder/munge"; chmod 400 "$folder/munge/munge.key"
    mkdir -p "$folder/munge/run"; chmod 755 "$folder/munge/run"; chmod 711 "$folder/munge"
    chown -R munge:munge "$folder/munge"
    runuser -u munge -- munged --foreground --force --socket="$folder/munge/run/socket" --key-file="$folder/munge/munge.key" \
        --pid-file="$folder/munge/run/munged.pid" --log-file="$folder/munge/munged.log" --seed-file="$folder/munge/seed" < /dev/null > "$folder/log/munged.out" 2>&1 &
    echo $! > "$folder/munged.pid"
    cat > "$folder/slurm.conf" <<CONF
ClusterName=famlnet-test
SlurmctldHost=$host
SlurmctldPort=$((20000 + RANDOM % 10000))
SlurmdPort=$((30000 + RANDOM % 10000))
AuthType=auth/munge
AuthInfo=socket=$folder/munge/run/socket,cred_expire=5
CryptoType=crypto/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SlurmUser=root
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/slurmctld.own
SlurmdPidFile=$folder/slurmd.own
SlurmctldLogFile=$folder/log/slurmctld.log
SlurmdLogFile=$folder/log/slurmd.log
ReturnToService=2
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
KillWait=20
MinJobAge=600
NodeName=$host CPUs=2 RealMemory=2000 State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES State=UP MaxTime=INFINITE
CONF
    export SLURM_CONF="$folder/slurm.conf"
    for i in $(seq 50); do [ -S "$folder/munge/run/socket" ] && break; sleep 0.2; done
    [ -S "$folder/munge/run/socket" ] || { cat "$folder/log/munged.out" >&2; exit 1; }
    slurmctld -D -f "$SLURM_CONF" < /dev/null > "$folder/log/slurmctld.out" 2>&1 &
    echo $! > "$folder/slurmctld.pid"
    slurmd -D -f "$SLURM_CONF" -N "$host" < /dev/null > "$folder/log/slurmd.out" 2>&1 &
    echo $! > "$folder/slurmd.pid"
    for i in $(seq 100); do
        sinfo -h -o %T 2> /dev/null | grep -q idle && exit 0
        sleep 0.3
    done
    tail -n 20 "$folder"/log/* "$folder/munge/munged.log" >&2
    exit 1
    ;;
stop)
    for name in slurmd slurmctld munged; do
        [ -f "$folder/$name.pid" ] && kill "$(cat "$folder/$name.pid")" 2> /dev/null || true
    done
    for name in slurmd slurmctld munged; do
        for i in $(seq 50); do kill -0 "$(cat "$folder/$name.pid")" 2> /dev/null || break; sleep 0.2; done
    done
    ;;
esac
