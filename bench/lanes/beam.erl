%% The same questions put to the BEAM, one scheduler: a row's name on stdin, its figure on stdout.
-module(beam).
-behaviour(gen_server).
-export([main/0, start_sup/1, start_many/0, start_worker/0, init/1, handle_call/3, handle_cast/2, handle_info/2]).

main() ->
    logger:remove_handler(default),
    logger:set_primary_config(level, none),
    io:setopts(standard_io, [binary]),
    {ok, Server} = gen_server:start(?MODULE, worker, []),
    Table = ets:new(names, [set, public, {read_concurrency, true}]),
    [ets:insert(Table, {<<"chain/", (integer_to_binary(I))/binary, "/head-tracker">>, self()}) || I <- lists:seq(1, 10000)],
    io:put_chars([erlang:system_info(otp_release), $\n]),
    loop(Server, Table).

loop(Server, Table) ->
    case io:get_line("") of
        eof -> halt(0);
        Line ->
            Row = string:trim(Line),
            io:put_chars([float_to_binary(run(Row, Server, Table), [{decimals, 3}]), $\n]),
            loop(Server, Table)
    end.

run(<<"burst">>, _, _) ->
    N = 2000000,
    Self = self(),
    Sink = spawn(fun() -> sink(0, N, Self) end),
    T = now_us(),
    burst(Sink, N),
    receive done -> ok end,
    N / secs(T);
run(<<"ping-pong">>, _, _) ->
    N = 1000000,
    Self = self(),
    A = spawn(fun() -> pong(Self) end),
    B = spawn(fun() -> pong(Self) end),
    T = now_us(),
    A ! {N, B},
    receive done -> ok end,
    R = N / secs(T),
    exit(A, kill), exit(B, kill),
    R;
run(<<"call">>, Server, _) ->
    N = 200000,
    T = now_us(),
    calls(Server, N),
    N / secs(T);
run(<<"cast">>, Server, _) ->
    N = 1000000,
    T = now_us(),
    casts(Server, N),
    gen_server:call(Server, get, infinity),
    N / secs(T);
run(<<"spawn">>, _, _) ->
    N = 200000,
    T = now_us(),
    Pids = [spawn(fun() -> receive stop -> ok end end) || _ <- lists:seq(1, N)],
    R = N / secs(T),
    [P ! stop || P <- Pids],
    R;
run(<<"spawn-exit-down">>, _, _) ->
    N = 300000,
    T = now_us(),
    spawn_down(N),
    N / secs(T);
run(<<"restart">>, _, _) ->
    %% OTP keeps a list of the restarts in the window: a fresh supervisor a batch is its best case.
    Batches = 400, Each = 100,
    Us = lists:sum([restart_batch(Each) || _ <- lists:seq(1, Batches)]),
    Batches * Each / (Us / 1.0e6);
run(<<"start-child">>, _, _) ->
    {ok, Sup} = start_many(),
    unlink(Sup),
    N = 100000,
    T = now_us(),
    [{ok, _} = supervisor:start_child(Sup, []) || _ <- lists:seq(1, N)],
    R = N / secs(T),
    stop_sup(Sup),
    R;
run(<<"stop-100k">>, _, _) ->
    {ok, Sup} = start_many(),
    unlink(Sup),
    [{ok, _} = supervisor:start_child(Sup, []) || _ <- lists:seq(1, 100000)],
    T = now_us(),
    stop_sup(Sup),
    secs(T) * 1000.0;
run(<<"idle-process">>, _, _) ->
    {ok, P} = gen_server:start(?MODULE, worker, []),
    erlang:garbage_collect(P),
    {memory, M} = process_info(P, memory),
    exit(P, kill),
    float(M);
run(<<"look-up">>, _, Table) ->
    N = 1000000,
    Keys = list_to_tuple([<<"chain/", (integer_to_binary(I * 156))/binary, "/head-tracker">> || I <- lists:seq(1, 64)]),
    T = now_us(),
    look_ups(Table, Keys, N),
    N / secs(T);
run(<<"start-timer">>, _, _) ->
    N = 300000,
    T = now_us(),
    [erlang:start_timer(60000, self(), x) || _ <- lists:seq(1, N)],
    N / secs(T).

now_us() -> erlang:monotonic_time(microsecond).
secs(T) -> (now_us() - T) / 1.0e6.

burst(_, 0) -> ok;
burst(P, N) -> P ! {add, 1}, burst(P, N - 1).
sink(_, 0, To) -> To ! done;
sink(S, N, To) -> receive {add, I} -> sink(S + I, N - 1, To) end.

pong(To) ->
    receive
        {0, _} -> To ! done, pong(To);
        {N, Peer} -> Peer ! {N - 1, self()}, pong(To)
    end.

calls(_, 0) -> ok;
calls(P, N) -> gen_server:call(P, get), calls(P, N - 1).
casts(_, 0) -> ok;
casts(P, N) -> gen_server:cast(P, add), casts(P, N - 1).

spawn_down(0) -> ok;
spawn_down(N) ->
    {P, M} = spawn_monitor(fun() -> ok end),
    receive {'DOWN', M, process, P, normal} -> ok end,
    spawn_down(N - 1).

restart_batch(Each) ->
    {ok, Sup} = supervisor:start_link(?MODULE, fragile),
    unlink(Sup),
    [{_, Child, _, _}] = supervisor:which_children(Sup),
    T = now_us(),
    restarts(Sup, Child, Each),
    Us = now_us() - T,
    stop_sup(Sup),
    Us.
restarts(_, _, 0) -> ok;
restarts(Sup, Child, N) ->
    gen_server:cast(Child, crash),
    restarts(Sup, again(Sup, Child), N - 1).
again(Sup, Old) ->
    case supervisor:which_children(Sup) of
        [{_, Old, _, _}] -> again(Sup, Old);
        [{_, New, _, _}] -> New
    end.

start_many() -> supervisor:start_link(?MODULE, many).
start_sup(What) -> supervisor:start_link(?MODULE, What).
start_worker() -> gen_server:start_link(?MODULE, worker, []).
stop_sup(Sup) ->
    M = monitor(process, Sup),
    exit(Sup, shutdown),
    receive {'DOWN', M, _, _, _} -> ok end.

look_ups(_, _, 0) -> ok;
look_ups(T, Keys, N) -> [_] = ets:lookup(T, element((N band 63) + 1, Keys)), look_ups(T, Keys, N - 1).

init(worker) -> {ok, 0};
init(fragile) ->
    {ok, {#{intensity => 1000000000, period => 1}, [#{id => w, start => {?MODULE, start_worker, []}}]}};
init(many) ->
    {ok, {#{strategy => simple_one_for_one}, [#{id => w, start => {?MODULE, start_worker, []}, restart => temporary}]}}.
handle_call(get, _, S) -> {reply, S, S}.
handle_cast(add, S) -> {noreply, S + 1};
handle_cast(crash, S) -> {stop, boom, S}.
handle_info(_, S) -> {noreply, S}.
