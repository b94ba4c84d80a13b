%% Differential oracle: runs a JSON scenario against the REAL stdlib supervisor / gen_server / link / monitor
%% semantics and prints a canonical event trace (pids replaced by path#incarnation).
-module(otp_oracle).
-behaviour(gen_server).
-export([main/1, stream/0, run/1, log/2]).
-export([start_worker/2, start_dyn/3, start_sup/2, init/1, handle_call/3, handle_cast/2, handle_info/2, terminate/2]).
-export([collector/2]).

%%% ------------------------------------------------------------------ entry points
main(Files) ->
    setup(),
    [begin
         {ok, B} = file:read_file(F),
         R = run(ojson:decode(B)),
         io:put_chars([fmt(R), $\n])
     end || F <- Files],
    halt(0).

%% one scenario per input line, one trace per output line: for fast-check style bulk generation
stream() ->
    setup(),
    io:setopts(standard_io, [binary, {encoding, unicode}]),
    stream_loop().
stream_loop() ->
    case io:get_line("") of
        eof -> halt(0);
        L -> R = run(ojson:decode(L)), io:put_chars([ojson:encode(R), $\n]), stream_loop()
    end.

setup() ->
    logger:remove_handler(default),
    logger:set_primary_config(level, error),
    ok = logger:add_handler(oracle, ?MODULE, #{level => all}).

fmt({obj, KVs}) ->   % pretty: one event per line
    ["{", lists:join(",\n ", [[ojson:encode(K), ": ",
        case K of <<"events">> -> ["[\n  ", lists:join(",\n  ", [ojson:encode(E) || E <- V]), "]"]; _ -> ojson:encode(V) end] || {K, V} <- KVs]), "}"].

%%% ------------------------------------------------------------------ runner
run(S) ->
    Parent = self(),
    Ref = make_ref(),
    spawn(fun() -> Parent ! {Ref, catch run1(S)} end),
    receive {Ref, R} -> R end.

run1(S) ->
    process_flag(trap_exit, true),
    case ets:whereis(oc_tab) of undefined -> ok; _ -> ets:delete(oc_tab) end,
    ets:new(oc_tab, [named_table, public, set]),
    Runner = self(),
    Coll = spawn(?MODULE, collector, [[], 0]),
    ets:insert(oc_tab, {coll, Coll}),
    erlang:trace(Runner, true, [procs, set_on_spawn, {tracer, Coll}]),
    align(maps:get(<<"align_ms">>, S, null)),
    ets:insert(oc_tab, {t0, erlang:monotonic_time(millisecond)}),
    Root = maps:get(<<"tree">>, S),
    RootId = maps:get(<<"id">>, Root, <<"root">>),
    Init = case start_sup(RootId, Root) of {ok, _} -> <<"ok">>; ignore -> <<"ignore">>; {error, E} -> [<<"error">>, term(E)] end,
    ev({obj, [{e, started_root}, {result, Init}]}),
    settle(),
    steps(maps:get(<<"steps">>, S, []), 0),
    %% final observation then unordered teardown that is not part of the trace
    Final = [{obj, [{p, P}, {children, which(P)}]} || {P, Pid} <- sups(), is_process_alive(Pid)],
    Events = coll_call(get),
    Coll ! mute,
    [exit(Pid, kill) || {{pid, Pid}, _, _} <- ets:tab2list(oc_tab), is_process_alive(Pid)],
    erlang:trace(Runner, false, [all]),
    Coll ! stop,
    {obj, [{<<"name">>, maps:get(<<"name">>, S, <<"?">>)}, {<<"events">>, Events}, {<<"final">>, Final}]}.

%% supervisor.erl measures restarts in WHOLE monotonic seconds: put every scenario at a known phase in the second.
align(null) -> ok;
align(Phase) ->
    Now = erlang:monotonic_time(millisecond),
    timer:sleep(((Phase - (Now rem 1000)) + 2000) rem 1000).

steps([], _) -> ok;
steps([Step | T], I) ->
    Op = maps:get(<<"op">>, Step),
    ev({obj, [{e, step}, {i, I}, {op, Op}] ++ [{K, V} || {K, V} <- lists:sort(maps:to_list(maps:with([<<"target">>, <<"sup">>, <<"id">>, <<"reason">>], Step)))]}),
    R = try op(Op, Step) catch exit:{X0, {sys, _, _}} -> [<<"raised">>, <<"exit">>, term(X0)]; exit:{X0, {gen_server, call, _}} -> [<<"raised">>, <<"exit">>, term(X0)]; C:X -> [<<"raised">>, atom_to_binary(C), term(X)] end,
    case Step of #{<<"settle">> := false} -> timer:sleep(5); _ -> settle() end,
    case R of none -> ok; _ -> ev({obj, [{e, result}, {i, I}, {value, R}]}) end,
    steps(T, I + 1).

op(<<"stop">>, S) ->      % the worker itself returns {stop, Reason, State}
    P = pid(S), M = monitor(process, P), P ! {'$do', {stop, reason(S)}}, wait(M), none;
op(<<"throw">>, S) ->     % the worker raises error(Reason): exit reason becomes {Reason, Stack}
    P = pid(S), M = monitor(process, P), P ! {'$do', {raise, reason(S)}}, wait(M), none;
op(<<"exit">>, S) ->      % an exit signal from a stranger (or from the parent when target is the root)
    exit(pid(S), reason(S)), none;
op(<<"start_child">>, S) -> Sup = maps:get(<<"sup">>, S), res(supervisor:start_child(suppid(Sup), childarg(Sup, S)));
op(<<"restart_child">>, S) -> res(supervisor:restart_child(supof(S), maps:get(<<"id">>, S)));
op(<<"delete_child">>, S) -> res(supervisor:delete_child(supof(S), maps:get(<<"id">>, S)));
op(<<"terminate_child">>, S) ->
    case S of #{<<"target">> := _} -> res(supervisor:terminate_child(supof(S), anypid(S)));
              _ -> res(supervisor:terminate_child(supof(S), maps:get(<<"id">>, S))) end;
op(<<"which_children">>, S) -> which(maps:get(<<"sup">>, S));
op(<<"count_children">>, S) -> {obj, supervisor:count_children(supof(S))};
op(<<"get_childspec">>, S) ->
    case supervisor:get_childspec(supof(S), maps:get(<<"id">>, S)) of
        {ok, #{restart := R, shutdown := Sh, type := T, significant := G}} -> {obj, [{restart, R}, {shutdown, Sh}, {type, T}, {significant, G}]};
        O -> res(O) end;
op(<<"set_init">>, S) ->  % replace the remaining init plan of a path
    ets:insert(oc_tab, {{plan, maps:get(<<"target">>, S)}, maps:get(<<"plan">>, S)}), none;
op(<<"advance">>, S) -> timer:sleep(maps:get(<<"ms">>, S)), none;
op(<<"call">>, S) ->      % gen_server:call with what the callee must do
    D = maps:get(<<"do">>, S), To = maps:get(<<"timeout">>, S, 5000),
    try {obj, [{reply, gen_server:call(anypid(S), {do, D}, To)}]}
    catch exit:{R, {gen_server, call, _}} -> {obj, [{exit, term(R)}]} end;
op(<<"mailbox">>, _) ->   % stray messages that reached the caller (late replies): must be []
    [term(M) || M <- flush()];
op(<<"sys">>, S) ->
    P = anypid(S),
    case maps:get(<<"cmd">>, S) of
        <<"suspend">> -> sys:suspend(P), ets:insert(oc_tab, {{suspended, P}}), none;   % so that settle asks it nothing
        <<"resume">> -> ets:delete(oc_tab, {suspended, P}), sys:resume(P), none;
        <<"get_state">> -> #{v := V} = sys:get_state(P), V;
        <<"replace_state">> -> V = maps:get(<<"value">>, S), #{v := V2} = sys:replace_state(P, fun(St) -> St#{v := V} end), V2
    end;
op(<<"upgrade">>, S) ->   % code change of a supervisor: from now on its init/1 gives this spec, unless it was refused
    Path = maps:get(<<"sup">>, S), P = suppid(Path), Old = ets:lookup(oc_tab, {code, Path}),
    ok = sys:suspend(P),
    ets:insert(oc_tab, {{code, Path}, maps:get(<<"spec">>, S)}),
    R = sys:change_code(P, ?MODULE, undefined, []),
    ok = sys:resume(P),
    case R of
        ok -> <<"ok">>;
        {error, E} -> ets:delete(oc_tab, {code, Path}), ets:insert(oc_tab, Old), [<<"error">>, term(E)]
    end;
op(<<"whereis">>, S) ->
    case whereis(regname(maps:get(<<"name">>, S))) of undefined -> <<"undefined">>; W -> pname(W) end;
op(<<"batch">>, S) ->     % several deaths queued at one suspended supervisor: EXIT signals arrive in this order
    Sup = suppid(maps:get(<<"sup">>, S)),
    ok = sys:suspend(Sup), ets:insert(oc_tab, {{suspended, Sup}}),
    %% a batch inside a batch comes to rest before the outer one goes on; one that fails still resumes
    try [begin op(maps:get(<<"op">>, X), X), [settle() || maps:get(<<"op">>, X) =:= <<"batch">>] end || X <- maps:get(<<"ops">>, S)]
    after timer:sleep(2), ets:delete(oc_tab, {suspended, Sup}), ok = sys:resume(Sup) end, none;
op(<<"link">>, S) -> P = pid(S), O = pid2(maps:get(<<"to">>, S)), P ! {'$do', {link, O}}, sync(P), none;
op(<<"monitor">>, S) -> P = pid(S), O = pid2(maps:get(<<"to">>, S)), P ! {'$do', {monitor, maps:get(<<"to">>, S), O}}, sync(P), none;
op(<<"trap_exit">>, S) -> P = pid(S), P ! {'$do', {trap, maps:get(<<"value">>, S)}}, sync(P), none.

sync(P) -> gen_server:call(P, ping).
wait(M) -> receive {'DOWN', M, _, _, _} -> ok after 10000 -> exit(stuck) end.
flush() -> receive {'EXIT', _, _} -> flush(); M -> [M | flush()] after 0 -> [] end.
reason(S) -> rterm(maps:get(<<"reason">>, S, <<"boom">>)).
pid(S) -> pid2(maps:get(<<"target">>, S)).
anypid(S) -> P = maps:get(<<"target">>, S), case ets:lookup(oc_tab, {path, P}) of [{_, Pid, _}] -> Pid; [] -> P end.
pid2(P) -> case ets:lookup(oc_tab, {path, P}) of [{_, Pid, _}] -> Pid; [] -> {D, M} = spawn_monitor(fun() -> ok end), wait(M), D end.
suppid(P) -> pid2(P).
supof(S) -> suppid(maps:get(<<"sup">>, S)).
sups() -> lists:sort([{P, Pid} || {{path, P}, Pid, sup} <- ets:tab2list(oc_tab)]).

which(Path) ->
    L = [{obj, [{id, case Id of undefined -> label(C); _ -> Id end}, {state, case C of undefined -> undefined; restarting -> restarting; _ -> pname(C) end}, {type, T}]}
         || {Id, C, T, _} <- supervisor:which_children(suppid(Path))],
    case ets:lookup(oc_tab, {dynamic, Path}) of [] -> L; _ -> lists:sort(L) end.
label(P) when is_pid(P) -> [{_, Path, _}] = ets:lookup(oc_tab, {pid, P}), lists:last(binary:split(Path, <<"/">>, [global]));
label(_) -> null.
pname(P) -> case ets:lookup(oc_tab, {pid, P}) of [{_, Path, N}] -> <<Path/binary, "#", (integer_to_binary(N))/binary>>; [] -> <<"?">> end.

res(ok) -> <<"ok">>;
res({ok, undefined}) -> [<<"ok">>, <<"undefined">>];
res({ok, P}) when is_pid(P) -> [<<"ok">>, pname(P)];
res({ok, P, I}) -> [<<"ok">>, pname(P), term(I)];
res({error, {already_started, P}}) -> [<<"error">>, [<<"already_started">>, pname(P)]];
res({error, {R, C}}) when element(1, C) =:= child -> [<<"error">>, [term(R), <<"<child>">>]];
res({error, R}) -> [<<"error">>, term(R)].

%% JSON -> reason term: strings are atoms, arrays are tuples.   term -> JSON: the inverse; stack traces become "*".
rterm(B) when is_binary(B) -> binary_to_atom(B);
rterm(L) when is_list(L) -> list_to_tuple([rterm(X) || X <- L]);
rterm(X) -> X.
term(P) when is_pid(P) -> pname(P);
term(R) when is_reference(R) -> <<"<ref>">>;
term({R, [{M, F, _, _} | _]}) when is_atom(M), is_atom(F) -> [term(R), <<"*">>];
term(C) when is_tuple(C), element(1, C) =:= child -> <<"<child>">>;
term(T) when is_tuple(T) -> [term(X) || X <- tuple_to_list(T)];
term(L) when is_list(L) -> [term(X) || X <- L];
term(M) when is_map(M) -> maps:fold(fun(K, V, A) -> A#{term(K) => term(V)} end, #{}, M);
term(F) when is_function(F) -> <<"<fun>">>;
term(X) -> X.

%% quiescence: every supervisor has answered a call and no new event for 3 rounds
settle() -> settle(-1, 0).
settle(_, 3) -> ok;
settle(N, K) ->
    [catch supervisor:count_children(P) || {{path, _}, P, sup} <- ets:tab2list(oc_tab), is_process_alive(P), not suspended(P)],
    TR = erlang:trace_delivered(all), receive {trace_delivered, all, TR} -> ok end,
    N2 = coll_call(count),
    case N2 of N -> erlang:yield(), settle(N, K + 1); _ -> timer:sleep(1), settle(N2, 0) end.
suspended(P) -> ets:member(oc_tab, {suspended, P}).

%%% ------------------------------------------------------------------ collector (receives semantic events AND trace exits, in causal order)
ev(E) -> [{_, C}] = ets:lookup(oc_tab, coll), C ! {ev, E}, ok.
coll_call(Q) -> [{_, C}] = ets:lookup(oc_tab, coll), R = make_ref(), C ! {Q, self(), R}, receive {R, V} -> V end.
collector(L, N) ->
    receive
        {ev, E} -> collector([E | L], N + 1);
        {trace, P, exit, R} ->
            case ets:lookup(oc_tab, {up, P}) of
                [_] -> collector([{obj, [{e, exit}, {p, pname(P)}, {reason, term(R)}]} | L], N + 1);
                [] -> collector(L, N)
            end;
        {count, F, R} -> F ! {R, N}, collector(L, N);
        {get, F, R} -> F ! {R, lists:reverse(L)}, collector(L, N);
        mute -> receive stop -> ok end;
        stop -> ok;
        _ -> collector(L, N)
    end.

log(#{msg := {report, #{label := {supervisor, Ctx}, report := Rep}}}, _) when Ctx =/= progress ->
    {_, Sup} = lists:keyfind(supervisor, 1, Rep), {_, R} = lists:keyfind(reason, 1, Rep), {_, Off} = lists:keyfind(offender, 1, Rep),
    SupPath = case Sup of {P, _} when is_pid(P) -> [{_, SP, _}] = ets:lookup(oc_tab, {pid, P}), SP; _ -> <<"?">> end,
    Id = case lists:keyfind(pid, 1, Off) of {_, CP} when is_pid(CP) -> pname(CP); {_, {restarting, CP}} when is_pid(CP) -> <<"restarting:", (pname(CP))/binary>>;
             _ -> case lists:keyfind(id, 1, Off) of {_, I} -> I; _ -> null end end,
    Nb = case lists:keyfind(nb_children, 1, Off) of {_, K} -> [{nb_children, K}]; _ -> [] end,
    catch ev({obj, [{e, report}, {sup, SupPath}, {context, Ctx}, {reason, term(R)}, {child, Id}] ++ Nb});
log(_, _) -> ok.

%%% ------------------------------------------------------------------ tree building
childarg(Sup, S) ->
    case S of
        #{<<"args">> := A} -> A;                                           % simple_one_for_one: extra args [Label]
        #{<<"spec">> := Sp} -> childspec(Sup, Sp)
    end.
childspec(Parent, Sp) ->
    Id = maps:get(<<"id">>, Sp), Path = <<Parent/binary, "/", Id/binary>>,
    IsSup = maps:is_key(<<"strategy">>, Sp) orelse maps:is_key(<<"children">>, Sp),
    Base = #{id => Id, start => {?MODULE, case IsSup of true -> start_sup; false -> start_worker end, [Path, Sp]},
             type => case IsSup of true -> supervisor; false -> worker end},
    lists:foldl(fun(K, M) -> case Sp of
            #{K := V} when is_binary(V) -> M#{binary_to_atom(K) => binary_to_atom(V)};
            #{K := V} -> M#{binary_to_atom(K) => V};
            _ -> M end end, Base, [<<"restart">>, <<"shutdown">>, <<"significant">>, <<"type">>]).
dynspec(Parent, Sp) ->
    (childspec(Parent, Sp))#{start => {?MODULE, start_dyn, [Parent, Sp]}}.

next(Path, Sp) ->
    N = ets:update_counter(oc_tab, {n, Path}, 1, {{n, Path}, 0}),
    Plan = case ets:lookup(oc_tab, {plan, Path}) of [{_, P}] -> P; [] -> maps:get(<<"init">>, Sp, []) end,
    case Plan of
        [H | T] -> ets:insert(oc_tab, {{plan, Path}, T}), {N, H};
        [] -> {N, <<"ok">>};
        H -> {N, H}                                                         % non-list = repeats forever
    end.
start_dyn(Parent, Sp, Label) -> start_worker(<<Parent/binary, "/", Label/binary>>, Sp).
start_worker(Path, Sp) ->
    {N, Act} = next(Path, Sp),
    Pn = <<Path/binary, "#", (integer_to_binary(N))/binary>>,
    case Act of
        #{<<"error">> := R} -> ev({obj, [{e, init}, {p, Pn}, {r, [<<"error">>, R]}]}), {error, rterm(R)};
        #{<<"extra">> := X} -> case start_server(Sp, {worker, Path, N, Sp, <<"ok">>}) of {ok, P} -> {ok, P, rterm(X)}; O -> O end;
        _ -> start_server(Sp, {worker, Path, N, Sp, Act})
    end.
start_server(#{<<"register">> := Name}, Args) -> gen_server:start_link({local, regname(Name)}, ?MODULE, Args, []);
start_server(_, Args) -> gen_server:start_link(?MODULE, Args, []).
%% a name belongs to one scenario: the last one's processes may still be dying
regname(Name) -> [{_, C}] = ets:lookup(oc_tab, coll), list_to_atom(binary_to_list(Name) ++ pid_to_list(C)).
start_sup(Path, Sp) ->
    {N, Act} = next(Path, Sp),
    R = case Act of
        <<"ok">> -> supervisor:start_link(?MODULE, {sup, Path, N, Sp});
        <<"ignore">> -> ignore;
        #{<<"error">> := E} -> {error, rterm(E)}
    end,
    case R of
        {ok, P} -> ets:insert(oc_tab, [{{up, P}}]), ev({obj, [{e, init}, {p, <<Path/binary, "#", (integer_to_binary(N))/binary>>}, {r, ok}]});
        _ -> ev({obj, [{e, init}, {p, <<Path/binary, "#", (integer_to_binary(N))/binary>>}, {r, term(R)}]})
    end,
    R.

%%% ------------------------------------------------------------------ callbacks
init({sup, Path, N, Sp0}) ->
    Sp = case ets:lookup(oc_tab, {code, Path}) of [{_, New}] -> New; [] -> Sp0 end,
    ets:insert(oc_tab, [{{path, Path}, self(), sup}, {{pid, self()}, Path, N}]),
    Flags = maps:fold(fun(<<"strategy">>, V, A) -> A#{strategy => binary_to_atom(V)};
                         (<<"intensity">>, V, A) -> A#{intensity => V};
                         (<<"period">>, V, A) -> A#{period => V};
                         (<<"auto_shutdown">>, V, A) -> A#{auto_shutdown => binary_to_atom(V)};
                         (_, _, A) -> A end, #{}, Sp),
    case Flags of
        #{strategy := simple_one_for_one} ->
            ets:insert(oc_tab, {{dynamic, Path}}),
            {ok, {Flags, [dynspec(Path, maps:get(<<"template">>, Sp))]}};
        _ -> {ok, {Flags, [childspec(Path, C) || C <- maps:get(<<"children">>, Sp, [])]}}
    end;
init({worker, Path, N, Sp, Act}) ->
    process_flag(trap_exit, maps:get(<<"trap_exit">>, Sp, true)),
    ets:insert(oc_tab, [{{pid, self()}, Path, N}]),
    Pn = <<Path/binary, "#", (integer_to_binary(N))/binary>>,
    St = #{path => Path, pn => Pn, sp => Sp, v => maps:get(<<"state">>, Sp, 0)},
    case Act of
        <<"ok">> -> up(Path, Pn, <<"ok">>), {ok, St};
        <<"ignore">> -> ev({obj, [{e, init}, {p, Pn}, {r, ignore}]}), ignore;
        #{<<"sleep">> := Ms, <<"stop">> := R} -> timer:sleep(Ms), ev({obj, [{e, init}, {p, Pn}, {r, [<<"stop">>, R]}]}), {stop, rterm(R)};
        #{<<"sleep">> := Ms} -> timer:sleep(Ms), up(Path, Pn, <<"ok">>), {ok, St};
        #{<<"stop">> := R} -> ev({obj, [{e, init}, {p, Pn}, {r, [<<"stop">>, R]}]}), {stop, rterm(R)};
        #{<<"throw">> := R} -> ev({obj, [{e, init}, {p, Pn}, {r, [<<"throw">>, R]}]}), erlang:error(rterm(R))
    end.
up(Path, Pn, R) ->
    ets:insert(oc_tab, [{{path, Path}, self(), worker}, {{up, self()}}]),
    ev({obj, [{e, init}, {p, Pn}, {r, R}]}).

handle_call(ping, _F, S) -> {reply, pong, S};
handle_call({do, D}, From, S) ->
    case D of
        #{<<"stop">> := R, <<"reply">> := V} -> {stop, rterm(R), V, S};
        #{<<"reply">> := V} -> {reply, V, S};
        #{<<"reply_after">> := Ms, <<"value">> := V} -> timer:sleep(Ms), {reply, V, S};
        #{<<"defer">> := Ms, <<"value">> := V} -> erlang:send_after(Ms, self(), {'$defer', From, V}), {noreply, S};
        #{<<"stop">> := R} -> {stop, rterm(R), S};
        #{<<"throw">> := R} -> erlang:error(rterm(R));
        #{<<"set">> := V} -> {reply, <<"ok">>, S#{v := V}};
        <<"get">> -> {reply, maps:get(v, S), S};
        <<"noreply">> -> {noreply, S}
    end.
handle_cast(_, S) -> {noreply, S}.
handle_info({'$do', {stop, R}}, S) -> {stop, R, S};
handle_info({'$do', {raise, R}}, _) -> erlang:error(R);
handle_info({'$do', {link, P}}, S) -> link(P), {noreply, S};
handle_info({'$do', {monitor, Name, P}}, S) -> M = monitor(process, P), {noreply, S#{{mon, M} => Name}};
handle_info({'$do', {trap, V}}, S) -> process_flag(trap_exit, V), {noreply, S};
handle_info({'$defer', From, V}, S) -> gen_server:reply(From, V), {noreply, S};
handle_info({'EXIT', P, R}, #{pn := Pn} = S) -> ev({obj, [{e, info}, {p, Pn}, {msg, [<<"EXIT">>, pname(P), term(R)]}]}), {noreply, S};
handle_info({'DOWN', M, process, _, R}, #{pn := Pn} = S) -> ev({obj, [{e, info}, {p, Pn}, {msg, [<<"DOWN">>, maps:get({mon, M}, S, <<"?">>), term(R)]}]}), {noreply, S};
handle_info(_, S) -> {noreply, S}.
terminate(R, #{pn := Pn, sp := Sp}) ->
    ev({obj, [{e, terminate}, {p, Pn}, {reason, term(R)}]}),
    case maps:get(<<"on_terminate">>, Sp, <<"ok">>) of
        <<"ok">> -> ok;
        #{<<"sleep">> := Ms} -> timer:sleep(Ms);
        #{<<"exit">> := X} -> exit(rterm(X))
    end.
