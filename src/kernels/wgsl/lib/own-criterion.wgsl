// Takes the place of exit-criterion where a criterion is written by hand: asks its `leave`, with its parameters if any.
@if(params) import package::criterion::Params;
import package::criterion::leave;
import package::lib::exit_scores::ExitScores;

@if(params) @group(0) @binding(1) var<storage, read> criterion: Params;

@if(params) fn isSure(s: ExitScores) -> bool {
  return leave(s, criterion);
}

@if(!params) fn isSure(s: ExitScores) -> bool {
  return leave(s);
}
